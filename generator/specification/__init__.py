"""From a bundle and a configuration to the numbers that the kernels read."""
