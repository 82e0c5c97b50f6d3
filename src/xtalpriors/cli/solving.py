"""`xtalpriors solve`: measured reflections in, a structure ready for refinement out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xtalpriors.cli.common import cell_of, say
from xtalpriors.errors import UsageError

NOT_SOLVED = 3
"""Exit status of a solution that is doubtful or none."""
PAGE_NAME = "report.html"
NO_NETWORK = "none"


def solve(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Reflections: .hkl (or its .ins), .cif, .fcf or .mtz.")
    ],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the solution; it is made.")],
    ins: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="SHELX .ins or .res; by default the one beside DATA."),
    ] = None,
    hkl_format: Annotated[
        str | None,
        typer.Option(
            "--hkl",
            metavar="NAME",
            help="What a list holds: hklf4 (the default), hklf3, hklf5, f (h k l |F|) or f2.",
        ),
    ] = None,
    cell: Annotated[str | None, typer.Option(metavar="'A B C α β γ'", help="Cell in Å and degrees.")] = None,
    space_group: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Space group, where it is known: symbol or number."),
    ] = None,
    laue: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Any space group of the Laue class, where only that is known."),
    ] = None,
    formula: Annotated[
        str | None, typer.Option(metavar="'C12 H10 N2 O2'", help="Formula, or only the elements.")
    ] = None,
    wavelength: Annotated[float | None, typer.Option(metavar="Å", help="Of the radiation.")] = None,
    probe: Annotated[
        str | None, typer.Option(metavar="NAME", help="x-ray (the default), electron or neutron.")
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Network to try where charge flipping fails: shipped, the folder of a run of dual-space or "
            "train (PhAI), or none.",
        ),
    ] = "shipped",
    as_powder: Annotated[
        float | None,
        typer.Option(
            metavar="DEGREES",
            help="Try what overlap costs: reflections within this width of 2θ share their intensity.",
        ),
    ] = None,
    noise: Annotated[
        float,
        typer.Option(metavar="X", help="With --as-powder: relative noise of a peak of mean intensity."),
    ] = 0.0,
    time: Annotated[
        float, typer.Option(min=1.0, metavar="SECONDS", help="After which no new trial is begun.")
    ] = 60.0,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the random phases.")] = 1,
) -> None:
    """Solve a crystal structure from its reflections: space group, atoms and elements, for SHELXL.

    Exit status 0: solved. 3: doubtful or unsolved; the files hold the best attempt and say why.
    """
    from xtalpriors.atomic_write import write_text
    from xtalpriors.generator.config import space_group_of
    from xtalpriors.model import HKL_FORMATS
    from xtalpriors.model import solve as run
    from xtalpriors.model.measured.as_powder import PowderLike
    from xtalpriors.model.measured.read_data import check_probe
    from xtalpriors.model.solving import output_files, write_solution
    from xtalpriors.outputs import check_folder, check_outputs
    from xtalpriors.progress import bar
    from xtalpriors.reports.solution_page import PAGE, solution_page

    chosen = next((form for form in HKL_FORMATS if form == hkl_format), None)
    if hkl_format is not None and chosen is None:
        raise UsageError(f"--hkl is one of {', '.join(HKL_FORMATS)}, not '{hkl_format}'.")
    if space_group and laue:
        raise UsageError("Give --space-group or --laue, not both: a group says its Laue class.")
    if noise and as_powder is None:
        raise UsageError("--noise goes with --as-powder; measured intensities have their own.")
    check_folder(output)
    page = output / PAGE_NAME
    outputs = output_files(output, data.stem)
    check_outputs([*outputs, (page, PAGE)], [data, *([ins] if ins else [])])
    with bar(f"solving {data.name}", None, "step") as advance:
        solution = run(
            data,
            instructions=ins,
            hkl_format=chosen,
            cell=cell_of(cell),
            space_group=None if space_group is None else space_group_of(space_group),
            laue=None if laue is None else space_group_of(laue),
            formula=formula,
            wavelength_angstrom=wavelength,
            probe=None if probe is None else check_probe(probe),
            network=None if network == NO_NETWORK else network,
            as_powder=None if as_powder is None else PowderLike(as_powder, noise, seed),
            seconds=time,
            seed=seed,
            say=lambda note: advance(1, note=note),
        )
    files = write_solution(solution, output)
    write_text(page, solution_page(solution, [file.name for file in files]), PAGE)
    say(solution)
    say(f"  written to {output}: {', '.join(file.name for file in [*files, page])}")
    if solution.verdict != "solved":
        raise typer.Exit(NOT_SOLVED)
