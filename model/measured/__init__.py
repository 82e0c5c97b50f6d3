"""Measured reflections: reading them from the files that diffraction programs write, and merging them.

`read_data` reads whatever a user has (SHELX lists and instructions, CIF, fcf, MTZ) into one crystal's
reflections with its cell; `read_reflections` and `shelx_instructions` do the parts. `merging` brings
equivalents together, and `negative_intensities` estimates the amplitudes of weak and negative intensities.
"""
