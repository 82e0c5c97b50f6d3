"""Artificial crystal structures from a prior bundle."""
