"""Phases for one crystal.

`phase_crystal` goes from files to files. On its way `read_crystal` reads a CIF or a list of reflections, and
`measured.check_observations` tests the group and the format of what was measured. A dual-space network phases
the crystal in its own group (`predict_in_group`). For PhAI `prediction_input` and `merge_reflections` bring
it to the network's setting and list, and `predict` phases it. `write_prediction` writes phases (CIF) and
density (CCP4).
"""
