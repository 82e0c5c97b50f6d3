"""What an atom is.

`elements` has symbols, radii and blocks of the periodic table; `species` reads the element from a type symbol
or a label; `formula` reads and writes chemical formulae; `displacement` turns B and tensors into U_iso;
`form_factors` has the X-ray form factors.
"""
