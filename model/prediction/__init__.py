"""Phases for one crystal.

`phase_crystal` goes from files to files. On its way `read_input` decides what a file holds, `read_cif`
reads a structure, `measured.check_observations` tests the group and the format of measured reflections,
`merge_reflections` brings them to the network's setting and list, `predict` phases them, and
`write_prediction` writes phases (CIF) and density (CCP4).
"""
