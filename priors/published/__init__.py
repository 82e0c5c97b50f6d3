"""Bundles that hold the values of published papers."""
