"""Subsets of a database as Parquet files: what priors are fitted to and networks are tested on."""
