"""Structures on disk and as objects of other libraries.

`shards` writes a range of structures, and goes on where an earlier run stopped; `run_folder` decides whether
it may; `run_report` says what was done. `parquet` and `cif` are the formats, `convert` the other libraries.
"""
