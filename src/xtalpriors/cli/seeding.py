"""`xtalpriors seed-study`: how many approximate phases are enough to find all others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xtalpriors.cli.common import say
from xtalpriors.errors import UsageError


def seed_study(
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the study; one that was stopped goes on.")
    ],
    space_group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Symbol or number; repeatable. By default P2₁/c, P2₁2₁2₁, P2₁, P1 and P-1."
        ),
    ] = None,
    volume: Annotated[
        list[float] | None,
        typer.Option(metavar="Å³", help="Volume of the cells; repeatable. By default 500, 1000, 2000, 4000."),
    ] = None,
    d_min: Annotated[
        list[float] | None,
        typer.Option("--d-min", metavar="Å", help="Resolution; repeatable. By default 1.0, 1.2 and 1.5."),
    ] = None,
    fraction: Annotated[
        list[float] | None,
        typer.Option(
            metavar="X",
            help="Seeds as a fraction of the strongest half of the reflections; repeatable. By default 0.05, "
            "0.1, 0.2 and 0.3.",
        ),
    ] = None,
    bins: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N", help="Values of a seed's phase, or exact; repeatable. By default exact, 4, 3, 2."
        ),
    ] = None,
    structures: Annotated[int, typer.Option(metavar="N", help="Structures of each group and volume.")] = 16,
    real: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Real crystals as well: a database (.duckdb), a subset (.parquet), or a folder or archive "
            "of CIFs. Repeatable.",
        ),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Seeds from a network as well: shipped (the dual-space network of the package), "
            "one of your own, or flipping, the control without a network. Repeatable.",
        ),
    ] = None,
    overlap: Annotated[
        list[float] | None,
        typer.Option(
            metavar="DEGREES",
            help="Amplitudes as of a powder: reflections within this width of 2θ share their intensity. "
            "Repeatable; 0 is a single crystal.",
        ),
    ] = None,
    wavelength: Annotated[float, typer.Option(metavar="Å", help="For 2θ.")] = 1.5406,
    noise: Annotated[
        float,
        typer.Option(metavar="X", help="Relative standard deviation of a peak of mean intensity."),
    ] = 0.0,
    seed: Annotated[int, typer.Option(metavar="N", help="Of structures, seeds and noise.")] = 0,
) -> None:
    """Study phase seeding: the share of structures solved from a few approximate phases, and without."""
    from xtalpriors.model.network.device import torch_threads
    from xtalpriors.model.seeding import run_study, study_settings
    from xtalpriors.model.seeding.network_seeds import seeding_network
    from xtalpriors.model.seeding.real_crystals import read_real_crystals
    from xtalpriors.progress import bar
    from xtalpriors.reports.seeding_page import check_study_folder, study_text, write_study

    given = {
        "space_groups": space_group,
        "volumes_angstrom3": volume,
        "d_min_angstrom": d_min,
        "fractions": fraction,
        "bins": None if bins is None else [_bins(text) for text in bins],
        "overlap_degree": overlap,
    }
    settings = study_settings(
        **{name: tuple(values) for name, values in given.items() if values},
        structures=structures,
        wavelength_angstrom=wavelength,
        noise=noise,
        seed=seed,
    )
    check_study_folder(output)
    networks = [seeding_network(name) for name in network or []]
    crystals = [
        read_real_crystals(path, settings.space_groups, settings.volumes_angstrom3, progress=bar)
        for path in real or []
    ]
    with torch_threads(1):
        rows = run_study(settings, output, real=crystals, networks=networks, progress=bar)
    say(study_text(rows))
    say(f"written to {output}: {', '.join(write_study(rows, output))}")


def _bins(text: str) -> int:
    """Number of bins; `exact` is 0."""
    if text == "exact":
        return 0
    if text.isdecimal() and int(text) >= 2:
        return int(text)
    raise UsageError(f"--bins is exact or a number of values from 2, not '{text}': one value says nothing.")
