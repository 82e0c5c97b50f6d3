"""The distributions that priors are made of: parametric families, tables, and estimates with intervals."""
