"""The sections of the corpus page: each file computes the numbers of its captions and tables.

`cells` (Figs 1 to 3), `contents`, `symmetry` (also the losses from files to statistics), `contradictions` (of
files with themselves), `synthetic` with `gap` (generated structures against the database), `paper`, `sheet`
and `drift` (what moved), `fitted_priors`, `own_numbers` (medians and shares that several sections state),
`reading` (of the page itself). Their words stand in `templates/`.
"""
