"""From a bundle and a configuration to the numbers that the kernels read.

`specify` does all of it and checks the input; `kernel_inputs` defines the result. `tables` turns priors into
quantile tables, `lattice` finds what a group demands of the cell, `special` its special positions and how
often they are occupied, `symmetry_table` its operators in fixed-point numbers.
"""
