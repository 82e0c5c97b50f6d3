"""Phases for one crystal.

`phase_crystal` goes from files to files. On its way `read_input` decides what a file holds, `read_cif`
reads a structure, `read_reflections` reads measured reflections, `merge_reflections` brings them to the
network's setting and list, `predict` phases them, and `write_prediction` writes phases (CIF) and density
(CCP4).
"""
