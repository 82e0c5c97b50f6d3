"""Structures on disk: Parquet, CIF, runs in shards, and objects of other libraries."""
