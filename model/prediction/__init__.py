"""Phases for one crystal.

`phase_crystal` goes from files to files. On its way `read_input` decides what a file holds, `read_cif`
reads a structure, `merge_reflections` brings measured reflections (of `model.measured`) to the network's
setting and list, `predict` phases them, and `write_prediction` writes phases (CIF) and density (CCP4).
"""
