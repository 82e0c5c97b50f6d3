"""From tokens to the rows of the tables `entry`, `site` and `rejection`."""
