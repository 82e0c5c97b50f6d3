"""From the bytes of CIFs to tokens: the wanted values, each with its tag, its row and its block.

- `intake`: all files of a batch to tokens; `encoding`: bytes to UTF-8.
- `tags`: the table of CIF tags and the field of each; `tokens`: the arrays that every reader fills.
- The fast reader: `scan` (called from Python), `scan_kernel` (its loop), `scan_bytes` (where words end),
  `scan_tags` (look-up of tags), `idle_tensors` (displacement tensors that need not be read).
- What it gives up: `readers` (gemmi, PyCifRW) and `repair` (mending broken text for gemmi).
- `units`: units behind numbers and in tags.
- Inside kernels: `numbers` parses numbers, `addresses` reads bytes, `characters` names them.
"""
