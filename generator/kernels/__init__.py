"""The compiled generator: a structure is a pure function of (specification, key, index)."""
