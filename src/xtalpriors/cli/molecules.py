"""`xtalpriors molecules`: a library of molecules for the filling `packed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xtalpriors.cli.common import say


def molecules(
    output: Annotated[
        Path, typer.Option(metavar="FILE|DIR", help="FILE.parquet, or a folder of shards of a thousand.")
    ],
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Molecules; of a file at most so many lines.")
    ] = None,
    smiles: Annotated[
        Path | None, typer.Option(metavar="FILE", help="SMILES, one a line; without it molecules are drawn.")
    ] = None,
    heavy_atoms: Annotated[
        tuple[int, int],
        typer.Option(metavar="MIN MAX", help="Non-hydrogen atoms of a molecule, from and to."),
    ] = (1, 13),
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed of the molecules that are drawn.")] = 0,
) -> None:
    """Make a library of molecules in three dimensions, drawn under the rules of GDB-13 or from SMILES."""
    from xtalpriors.generator.molecules.make import make_library
    from xtalpriors.progress import bar

    say(make_library(output, count=count, smiles=smiles, heavy_atoms=heavy_atoms, seed=seed, progress=bar))
