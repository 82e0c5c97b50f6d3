"""`xtalpriors train`, `evaluate`, `predict` and `matrix`: the phasing network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xtalpriors.cli.common import CorpusOption, SetOption, cell_of, corpora, key_values, params, say, together
from xtalpriors.errors import UsageError
from xtalpriors.paths import CorpusPaths, published, run_folder

DeviceOption = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="cpu, cuda or cuda:N; by default a GPU, if any."),
]
ModelOption = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR|FILE", help="Folder of a run, or its model.safetensors."),
]
PresetOption = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME|FILE", help="A file of presets/, by name, or one of your own."),
]
TestOption = Annotated[
    list[Path] | None,
    typer.Option("--test", metavar="FILE", help="Subset (.parquet) to score on as well. Repeatable."),
]


def train(
    preset: PresetOption = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|NAME", help="Priors of the training structures; by default melgalvis-2026."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the run.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", metavar="", help="Go on from the last checkpoint there.")
    ] = False,
    test: TestOption = None,
    option: SetOption = None,
    device: DeviceOption = None,
) -> None:
    """Train a network on generated structures; a run that was stopped goes on bit for bit with --resume."""
    from xtalpriors.model import discard_run, experimental_set, load_preset
    from xtalpriors.model import train as run
    from xtalpriors.priors import load_bundle
    from xtalpriors.progress import bar

    together(preset or output, {"--preset": preset, "--output": output})
    if preset and output:
        source = bundle or published()
    else:
        chosen = params().train
        preset, output = chosen.preset, run_folder(chosen.preset)
        source = bundle or chosen.bundle or published()
        if not resume:
            discard_run(output)  # the stage runs because something that the network depends on has changed
    config = load_preset(preset, key_values(option or []))
    result = run(
        config,
        load_bundle(source),
        output,
        resume=resume,
        device=device,
        validation=[experimental_set("experimental", test, config, config.reflections())] if test else [],
        progress=bar,
    )
    if result is not None:
        say(result)


def evaluate(
    model: ModelOption = None,
    subset: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Subset (.parquet); repeatable: their union.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Scores to write (.parquet).")] = None,
    volume: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="Only cells with a volume in this range, Å³."),
    ] = None,
    structures: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most so many; the same ones each time.")
    ] = None,
    one_per_cluster: Annotated[
        bool, typer.Option("--one-per-cluster", metavar="", help="Redeterminations of a crystal count once.")
    ] = False,
    corpus: CorpusOption = None,
    device: DeviceOption = None,
) -> None:
    """Score a network on real structures by the paper's protocol, the trivial baselines beside it."""
    from xtalpriors.model import Selection, evaluate_corpus, evaluate_subsets
    from xtalpriors.progress import bar

    given = model or subset or output or volume or structures or one_per_cluster
    together(given, {"--model": model, "--subset": subset or None, "--output": output})
    if model and subset and output:
        selection = Selection(
            structures=structures, one_per_cluster=one_per_cluster, volume_range_angstrom3=volume
        )
        say(evaluate_subsets(model, subset, output, selection=selection, device=device, progress=bar))
        return
    settings = params()
    chosen = settings.evaluate
    for name, _ in corpora(settings, corpus):
        paths = CorpusPaths(name)
        say(
            evaluate_corpus(
                run_folder(settings.train.preset),
                [paths.subset(settings.subset(one).name) for one in settings.evaluated_subsets],
                paths.evaluation,
                paths.evaluation_metrics,
                selection=Selection(**chosen.model_dump(exclude={"subsets"})),
                device=device,
                progress=bar,
            )
        )


def predict(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CIF, or a list of h k l |F| [σ].")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="Phases to write (.cif).")],
    model: Annotated[
        str,
        typer.Option(
            metavar="DIR|FILE",
            help="Trained network, of `train` or `dual-space`; by default the dual-space network that is "
            "shipped.",
        ),
    ] = "shipped",
    density: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Density map to write (.ccp4); needs the cell."),
    ] = None,
    hkl_format: Annotated[
        str | None,
        typer.Option(
            "--hkl",
            metavar="NAME",
            help="What a list holds: f (|F|, the default), f2, hklf3, hklf4 or hklf5.",
        ),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(metavar="'A B C α β γ'", help="Cell in Å and degrees, where the file has none."),
    ] = None,
    space_group: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Its space group in the setting of the indices, where the file has none: symbol or number.",
        ),
    ] = None,
    block: Annotated[
        str | None, typer.Option(metavar="NAME", help="Block of the CIF; by default the first usable one.")
    ] = None,
    d_min: Annotated[
        float, typer.Option(metavar="Å", help="Resolution limit of the data given to the network.")
    ] = 1.0,
    calculated: Annotated[
        bool,
        typer.Option(
            "--calculated", metavar="", help="Amplitudes of the structure even if some are measured."
        ),
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DOUBT",
            help="Phase in spite of it: absences (the group forbids what was measured), distribution (|F| "
            "look like |F|², or the other way). Repeatable.",
        ),
    ] = None,
    device: DeviceOption = None,
) -> None:
    """Phase a crystal: phases of every reflection to d_min, those not measured too."""
    from xtalpriors.generator.config import space_group_of
    from xtalpriors.model import DOUBTS, HKL_FORMATS, phase_crystal

    chosen = next((form for form in HKL_FORMATS if form == hkl_format), None)
    if hkl_format is not None and chosen is None:
        raise UsageError(f"--hkl is one of {', '.join(HKL_FORMATS)}, not '{hkl_format}'.")
    if wrong := sorted(set(accept or []) - set(DOUBTS)):
        raise UsageError(f"--accept is {' or '.join(DOUBTS)}, not '{wrong[0]}'.")
    say(
        phase_crystal(
            model,
            file,
            output,
            density_map=density,
            hkl_format=chosen,
            cell=cell_of(cell),
            space_group=None if space_group is None else space_group_of(space_group),
            block=block,
            d_min_angstrom=d_min,
            calculated=calculated,
            accept=[doubt for doubt in DOUBTS if doubt in (accept or [])],
            device=device,
        )
    )


def matrix(
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of all the runs; finished ones are kept.")
    ],
    preset: PresetOption = "demonstrator",
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|NAME", help="Priors of the training structures; by default melgalvis-2026."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Seeds of each strategy.")] = 3,
    test: TestOption = None,
    option: SetOption = None,
    device: DeviceOption = None,
) -> None:
    """Train and score every cell strategy with every filling, in the layout of Table 2 of the 2026 paper."""
    from xtalpriors.model import experimental_set, load_preset, run_matrix
    from xtalpriors.priors import load_bundle
    from xtalpriors.progress import bar

    config = load_preset(preset or "demonstrator", key_values(option or []))
    tests = [experimental_set(file.stem, [file], config, config.reflections()) for file in test or []]
    say(
        run_matrix(
            config,
            load_bundle(bundle or published()),
            output,
            seeds=tuple(range(1, seeds + 1)),
            tests=tests,
            device=device,
            progress=bar,
        )
    )
