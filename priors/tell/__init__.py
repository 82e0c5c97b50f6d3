"""A bundle for a reader.

`show`: as text. `compare`: how far each prior moved between two bundles, and `compare_text` that as text.
`shared`: the structures that both were fitted to, which move nothing.
`verdict`: what became of each prior, by all of its quantities, which count by `parts`.
`metrics`: the headline numbers and tables that `dvc metrics` and `dvc plots` read.
"""
