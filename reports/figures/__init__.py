"""One figure a file: `data` gives its rows, which are also its CSV, and `draw` draws them.

`scalar` makes the rows of the figures that show one number a structure, `sheet` is a subset at a glance,
`generated` repeats Figs 2 and 3 for generated structures, and `phasing_…` belong to the page on phasing.
"""
