"""CrystalNet of Guo et al. 2024: the network, its training, its file, and its tries."""
