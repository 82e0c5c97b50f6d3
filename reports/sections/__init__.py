"""The sections of the report, and the numbers that they are written from."""
