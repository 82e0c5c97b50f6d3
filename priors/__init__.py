"""Statistics of a subset, fitted with their uncertainty, as a versioned JSON bundle."""
