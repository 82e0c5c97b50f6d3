"""`xtalpriors summary`: a folder of CIFs as one table and one page, without a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xtalpriors.cli.common import WorkersOption, say
from xtalpriors.errors import UsageError


def summary(
    source: Annotated[
        str, typer.Argument(metavar="PATH", help="A folder of CIFs, an archive (zip, tar) or a CIF.")
    ],
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Group by space-group, crystal-system or class.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Page to write as well (.html), complete in itself.")
    ] = None,
    workers: WorkersOption = None,
) -> None:
    """Sum up a folder of CIFs: cells, contents and symmetry, and what could not be read and why."""
    from xtalpriors.outputs import check_outputs
    from xtalpriors.progress import bar
    from xtalpriors.reports import GROUPINGS, SUMMARY_PAGE, summarise, summary_table, write_summary_page

    chosen = next((one for one in GROUPINGS if one == by), None)
    if by is not None and chosen is None:
        raise UsageError(f"--by is {', '.join(GROUPINGS[:-1])} or {GROUPINGS[-1]}, not '{by}'.")
    if output is not None:
        check_outputs([(output, SUMMARY_PAGE)])
    found = summarise(source, chosen, workers=workers, progress=bar)
    written = [] if output is None else ["", write_summary_page(found, output)]
    say("\n".join([summary_table(found, output), *written]))
