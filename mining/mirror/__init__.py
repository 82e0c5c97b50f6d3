"""A copy of the COD on this disk, `9/00/00/9000000.cif`: made and kept up to date.

`sync` is the routine; `rsync`, `subversion` and `unpacking` are the three ways in which files come, `program`
runs the first two's programs, `record` is what a mirror says of itself, `layout` what belongs to one.

What a server sends is untrusted input: only regular files of the COD's layout and of a bounded size are
taken, links never, and files beside them in the folder are left alone.
"""
