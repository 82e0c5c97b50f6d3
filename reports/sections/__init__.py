"""The sections of the corpus page: each file computes the numbers of its captions and tables.

`cells` (Figs 1 to 3), `contents`, `symmetry` (also the losses from files to statistics), `contradictions` (of
files with themselves), `synthetic` with `gap` (generated structures against the database), `others` (further
subsets), `paper` and `drift` (what moved), `fitted_priors`. Their words stand in `templates/`.
"""
