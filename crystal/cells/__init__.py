"""Unit cells.

`cell` is one cell or an array of them: volume, metric tensor, Cartesian axes. `niggli` has reduced cells,
`least_oblique` the P2₁/c cell with β nearest 90°, `lattice_match` tells whether two lattices are the same,
and `distances` makes histograms of interatomic distances. `niggli_kernel` and `distances_kernel` are the
compiled loops of the two; `determinant` is that of 3 × 3 matrices.
"""
