"""How well a network phases structures whose phases are known.

From the inside outwards: `runs` phases structures from several starts with several cycles; `figure_of_merit`
chooses a run without the truth, from maps of `density`; `baselines`, and the package `charge_flipping` beside
this one, are what a network must beat. `evaluate` scores structures in memory, `evaluate_subsets` those of
subset files, and `evaluate_corpus` those of all test subsets of a corpus. `structures` are the crystals
tested, which `read_structures` reads; `diffraction` calculates what was measured of them. `evaluation_table`
is the file of scores, a row for each structure; `summary` its shares and medians, `paper_tables` the layout
of the paper's Tables 1 and 2, `projection` the maps of its Fig. 7.
"""
