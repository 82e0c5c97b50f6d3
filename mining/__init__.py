"""Crystal databases to one table: sources, reading, curation and subsets."""
