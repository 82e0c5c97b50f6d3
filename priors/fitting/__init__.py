"""Fits every prior of a subset.

`fit` runs all of it. `subset_table` reads the files of a subset into columns; `context` holds them
with the settings of the run. `observations` gives each value its weight (one vote per cluster) and pools
small subsets towards a larger one. `scalars` and `shares` estimate a real number and a share, with
`maximum_likelihood` (and `truncated_normal`) for the parameters of a family, `bootstrap` for their
intervals, and `goodness` with `rivals` for how well it fits. `conventions` are the bounds on the cell
lengths. The other files fit one prior each, that of the same name
in `kinds`.
"""
