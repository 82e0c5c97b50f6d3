"""Space groups in any setting.

`space_group` is the group itself, `resolve` finds the group of a file, `symbols` reads Hermann–Mauguin and
Hall symbols, `triplets` reads operators such as `-x,y+1/2,-z`. `basis` is a change of axes and origin,
`settings` moves whole structures by it, `subgroups` describes supergroups in P2₁/c, `origins` has the
permissible origins and `primitive` the primitive lattice. `closure` completes lists of operators; `identify`
and `arithmetic_class` find the number of a setting that no table lists; `integer` is exact integer linear
algebra.
"""
