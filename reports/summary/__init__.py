"""A folder of CIFs at a glance, without a pipeline: one table for the terminal and one page.

`summarise` reads a source, `summary_table` is the table, `write_summary_page` writes the page.
"""
