"""From tokens to the rows of the tables `entry`, `site` and `rejection`.

- `batch`: which token holds each field of each block and site; `select`: which blocks become entries;
  `entries`: these entries and the ranges of their sites; `assemble`: their rows.
- Of blocks: `block_cells` unit cells, `symmetry` space groups; `experiment` and `flags` columns.
- Of sites: `site_table` coordinates, `occupancy` occupancies (`percent`: confirmed by the contents),
  `species` and `labels` elements, `displacements` U (`displacement_scale`: is it U or B), `positions` special
  positions and Wyckoff letters, `parts` sites of negative disorder groups, `shared_positions` which sites
  stand on one position.
- Of entries: `geometry` columns of cell and group; `contents` columns of what the cell contains, with
  `composition` (atom counts), `missing_hydrogen` (is hydrogen left out), `plausible` (do they fit the cell)
  and `contents_text` (formulae as text).
- `arrow`: arrays as Arrow columns.
"""
