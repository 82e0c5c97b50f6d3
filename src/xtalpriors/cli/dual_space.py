"""`xtalpriors dual-space`: training of the network that works in both spaces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xtalpriors.cli.common import SetOption, key_values, say
from xtalpriors.cli.model import DeviceOption
from xtalpriors.paths import published


def dual_space(
    preset: Annotated[
        str, typer.Option("--preset", metavar="NAME|FILE", help="A file of presets/dual-space/, or your own.")
    ],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run; a run there goes on.")],
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Priors of the training structures; by default the paper's."),
    ] = None,
    option: SetOption = None,
    device: DeviceOption = None,
) -> None:
    """Train a dual-space network, for many space groups, on generated structures; stopped, it goes on."""
    from xtalpriors.model.dual_space.config import load_config
    from xtalpriors.model.dual_space.training import train_dual_space
    from xtalpriors.model.network.device import pick_device
    from xtalpriors.priors import load_bundle

    config = load_config(preset, key_values(option or []))
    scores = train_dual_space(
        config,
        load_bundle(bundle or published()),
        output,
        name=Path(preset).stem,
        device=pick_device(device),
    )
    for name, value in scores.items():
        say(f"{name}: {value:.4g}")
