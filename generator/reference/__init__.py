"""The generator in plain NumPy, as the paper says it, and a brute-force check of its rules."""
