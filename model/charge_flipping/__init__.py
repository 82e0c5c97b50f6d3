"""Charge flipping: phases from amplitudes alone, in P1 or with the symmetry of any space group enforced.

`trials.phase_by_charge_flipping` is the whole of it for one crystal. Its parts can be used alone:

- `grids`: reflections on a grid of the Fourier transform, with the symmetry of a group.
- `flipping`: cycles of charge flipping or of RAAR, for many trials at once.
- `origins`: where the symmetry elements of a group lie in a density that was phased in P1.
- `elimination`: low-density elimination, which polishes phases and judges them.
- `known_crystals`: artificial crystals with their structure factors, to test it on.
- `map_correlation`: how well phases agree with known ones, over the origins and hands that a group permits.
"""
