"""Candidate structures of a cubic powder pattern and a composition.

`indexing` finds the cell, `shells` compares structure factors with a pattern, and `orbits` are crystals whose
elements are left open. `candidates` takes them from a library and fits their parameters, `wyckoff_search`
makes them without one, and `solve` does the one and then the other.
"""
