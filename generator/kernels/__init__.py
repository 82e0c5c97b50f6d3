"""The compiled generator: a structure is a pure function of (specification, key, index).

`range` draws one structure after another. For each, `cell` draws the cell and `contents` the atoms: `special`
those on special positions, `fill` the others one by one; `contact` tests the distances. `random` makes the
random numbers, `arithmetic` draws from tables with them; `compilation` has the decorator of all kernels.
"""
