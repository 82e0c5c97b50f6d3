"""JSON Schemas of the bundle."""
