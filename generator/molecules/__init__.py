"""Libraries of molecules in three dimensions, which the filling `packed` puts into cells.

`library` holds, reads and writes them and needs nothing beyond the package; one library ships with it. The
others make new ones and need RDKit (`pip install 'xtalpriors[molecules]'`): `graphs` draws molecules at
random, `rules` refuses those that GDB-13 would not hold, `conformers` embeds them, `make` writes a library.
"""
