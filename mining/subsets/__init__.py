"""Subsets of a database as Parquet files: what priors are fitted to and networks are tested on.

`definition` is what a subset may ask for and `filters` the filters that it may name; `query` is the SQL that
selects its entries, `write` runs it and writes the two files, `files` finds and describes them for readers.
`p21c` describes supergroups in P2₁/c, `waterfall` counts what each step drops, `distances` measures the
distances between the atoms.
"""
