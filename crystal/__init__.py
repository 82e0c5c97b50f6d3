"""Pure crystallography: cells, symmetry, Wyckoff positions, reciprocal space, scattering. No I/O."""
