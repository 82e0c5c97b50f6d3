"""`xtalpriors powder train | evaluate | predict`: electron densities from powder patterns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xtalpriors.cli.commands import Command, Group
from xtalpriors.cli.common import CorpusOption, SetOption, corpora, key_values, params, say, together
from xtalpriors.cli.model import DeviceOption
from xtalpriors.paths import POWDER_RUNS, CorpusPaths, powder_folder

powder_app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="Electron density of a cell from its powder pattern and composition: train networks, score them "
    "beside trivial answers, and use them.",
)


@powder_app.command("train", cls=Command)
def powder_train(
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME|FILE", help="A file of presets/powder/, or your own."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the run; a run there goes on.")
    ] = None,
    option: SetOption = None,
    device: DeviceOption = None,
) -> None:
    """Train a network on artificial crystals of the prototypes; stopped, it goes on with the same command."""
    from xtalpriors.model.powder.runs import discard_runs, train_preset, write_runs_record
    from xtalpriors.progress import bar

    together(preset or output, {"--preset": preset, "--output": output})
    if preset and output:
        say(train_preset(preset, output, key_values(option or []), device=device, say=say, progress=bar))
        return
    folders = {name: powder_folder(name) for name in params().powder.presets}
    discard_runs(folders.values())  # the stage runs because something that the networks depend on has changed
    for name, folder in folders.items():
        say(train_preset(name, folder, key_values(option or []), device=device, say=say, progress=bar))
    write_runs_record(POWDER_RUNS, folders)


@powder_app.command("evaluate", cls=Command)
def powder_evaluate(
    model: Annotated[
        list[Path] | None, typer.Option("--model", metavar="DIR", help="Folder of a run. Repeatable.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the scores.")] = None,
    database: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Mined database, whose ordered crystals are a test set too. Repeatable."
        ),
    ] = None,
    crystals: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most so many of each set.")
    ] = None,
    points: Annotated[int, typer.Option(min=7, metavar="N", help="Points of an edge of the maps.")] = 50,
    option: SetOption = None,
    corpus: CorpusOption = None,
    device: DeviceOption = None,
) -> None:
    """Score networks on crystals that they were not trained on, trivial answers beside them."""
    from xtalpriors.model.powder.evaluation import evaluate_powder, score_options
    from xtalpriors.progress import bar

    options = score_options(key_values(option or []))
    together(model or output or database, {"--model": model or None, "--output": output})
    if model and output:
        say(
            evaluate_powder(
                model,
                output,
                databases=database or (),
                crystals=crystals,
                points=points,
                options=options,
                device=device,
                progress=bar,
            )
        )
        return
    settings = params()
    for name, _ in corpora(settings, corpus):
        paths = CorpusPaths(name)
        say(
            evaluate_powder(
                [powder_folder(preset) for preset in settings.powder.presets],
                paths.powder,
                databases=[paths.database],
                crystals=settings.powder.crystals,
                points=settings.powder.points,
                options=options,
                device=device,
                progress=bar,
            )
        )


@powder_app.command("predict", cls=Command)
def powder_predict(
    pattern: Annotated[
        Path,
        typer.Argument(metavar="PATTERN", help="Two columns, 2θ in degrees and intensity: profile or lines."),
    ],
    formula: Annotated[str, typer.Option(metavar="'Na Cl'", help="Composition of the crystal.")],
    model: Annotated[Path, typer.Option("--model", metavar="DIR", help="Folder of a run.")],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the maps; it is made.")],
    wavelength: Annotated[
        float | None, typer.Option(metavar="Å", help="Of the radiation; 1.5406 is Cu Kα1.")
    ] = None,
    second: Annotated[
        float | None,
        typer.Option("--k-alpha-2", metavar="Å", help="Second wavelength of a profile; 1.5444 is Cu Kα2."),
    ] = None,
    points: Annotated[int, typer.Option(min=7, metavar="N", help="Points of an edge of the maps.")] = 50,
    device: DeviceOption = None,
) -> None:
    """Density of a crystal from its powder pattern: maps (CCP4) of ranked tries, and a page with pictures."""
    from xtalpriors.model.powder.predict import check_prediction, predict_pattern, write_prediction
    from xtalpriors.reports.powder.prediction_page import prediction_page

    check_prediction(output)
    found = predict_pattern(
        pattern, wavelength, formula, model, second_angstrom=second, points=points, device=device
    )
    write_prediction(found, output, prediction_page(found))
    say(found)
    say(f"written to {output}")
