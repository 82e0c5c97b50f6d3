"""The generator in plain NumPy, as the paper says it, and a brute-force check of its rules.

`reference` fills cells, `cells` draws them, `rules` collects the distributions from the bundle. `check` tests
every distance of generated structures in float64. Nothing here uses the compiled kernels.
"""
