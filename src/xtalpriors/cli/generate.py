"""`xtalpriors generate`: a bundle into artificial structures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xtalpriors.cli.common import (
    CorpusOption,
    ExecutorOption,
    SetOption,
    WorkersOption,
    cluster_client,
    corpora,
    key_values,
    params,
    say,
    together,
)
from xtalpriors.errors import InterruptedRunError, UsageError, XtalpriorsError
from xtalpriors.paths import CorpusPaths

if TYPE_CHECKING:
    from distributed import Client


def generate(
    bundle: Annotated[
        Path | None, typer.Option(metavar="FILE|NAME", help="Prior bundle, or melgalvis-2026.")
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="axes-uniform, volume-uniform, volume-lognormal, volume-empirical or fitted."
        ),
    ] = None,
    filling: Annotated[
        str | None, typer.Option(metavar="NAME", help="random, molecules, equal-atoms, packed or fitted.")
    ] = None,
    space_group: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Hermann–Mauguin or Hall symbol, or number, any setting."),
    ] = None,
    option: SetOption = None,
    count: Annotated[int | None, typer.Option(min=1, metavar="N", help="Structures.")] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed.")] = 0,
    start: Annotated[
        int, typer.Option(min=0, metavar="I", help="Index of the first: machines share a run.")
    ] = 0,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE|DIR", help="FILE.parquet, or a folder.")
    ] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="parquet, or cif (a folder of CIFs).")
    ] = None,
    workers: WorkersOption = None,
    executor: ExecutorOption = None,
    corpus: CorpusOption = None,
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help="Strategy of params.yaml.")] = None,
) -> None:
    """Generate artificial crystal structures: the same seed and index give the same structure everywhere."""
    from xtalpriors.generator import configure, generate_to
    from xtalpriors.priors import load_bundle
    from xtalpriors.progress import bar

    of_one = (bundle, cell, filling, space_group, option, count, output, file_format)
    together(any(of_one), {"--bundle": bundle, "--count": count, "--output": output})
    if bundle and count and output:
        if file_format not in (None, "parquet", "cif"):
            raise UsageError(f"--format is parquet or cif, not '{file_format}'.")
        given = {"cell": cell, "filling": filling, "space_group": space_group}
        options: dict[str, object] = {k: v for k, v in given.items() if v is not None}
        extra = key_values(option or [])
        if twice := sorted(options.keys() & extra.keys()):
            raise UsageError(f"{twice[0]} is given twice, as an option and with --set. Leave one out.")
        source, config = load_bundle(bundle), configure(**options, **extra)
        with cluster_client(executor) as cluster:
            say(
                generate_to(
                    output,
                    source,
                    config,
                    seed=seed,
                    start=start,
                    count=count,
                    workers=workers,
                    file_format="cif" if file_format == "cif" else "parquet" if file_format else None,
                    cluster=cluster,
                    progress=bar,
                )
            )
        return
    with cluster_client(executor) as cluster:
        _of_params(corpus, strategy, workers, cluster)


def _of_params(corpus: str | None, strategy: str | None, workers: int | None, cluster: Client | None) -> None:
    """The structures of `params.yaml`: of each corpus by each strategy, or of those named."""
    from xtalpriors.generator import generate_to
    from xtalpriors.priors import load_bundle
    from xtalpriors.progress import bar

    settings = params()
    for name, _ in corpora(settings, corpus):
        paths = CorpusPaths(name)
        source = load_bundle(paths.bundle(settings.subset(settings.generated_subset).name))
        for one in [strategy] if strategy is not None else list(settings.strategies):
            with _of_strategy(one, settings.generated_subset):
                say(
                    generate_to(
                        paths.generated(one),
                        source,
                        settings.strategy(one),
                        seed=settings.generate.seed,
                        count=settings.generate.count,
                        workers=workers,
                        overwrite=True,
                        cluster=cluster,
                        progress=bar,
                    )
                )


@contextmanager
def _of_strategy(name: str, subset: str) -> Iterator[None]:
    """Say which settings an error speaks of."""
    try:
        yield
    except InterruptedRunError:
        raise
    except XtalpriorsError as error:
        raise type(error)(
            f"{error} In params.yaml it is the strategy {name}, and the bundle is that of `generate: subset: "
            f"{subset}`."
        ) from error
