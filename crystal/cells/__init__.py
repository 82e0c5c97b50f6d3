"""Unit cells: their geometry, reduced cells, comparison of lattices, and interatomic distances."""
