"""The DuckDB database: its columns, its views, its digest, and the clusters of redeterminations."""
