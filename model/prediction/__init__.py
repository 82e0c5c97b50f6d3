"""Phases for one crystal: from a file of reflections or a CIF to phases and a map."""
