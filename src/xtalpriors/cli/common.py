"""What the commands share: options, params.yaml, and printing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.paths import PARAMS

if TYPE_CHECKING:
    from distributed import Client

    from xtalpriors.crystal import UnitCell
    from xtalpriors.params import Params

SourceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="A folder of CIFs, an archive (zip, tar) or a CIF, by its path; `amcsd` (minerals of the "
        "larixite package); `csd` (needs the licensed ccdc package). `cod:DIR` and `archive:FILE` say what a "
        "path is. Repeatable: several sources go into one database.",
    ),
]
CorpusOption = Annotated[
    str | None,
    typer.Option("--corpus", metavar="NAME", help="A corpus of params.yaml; without it, all of them."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any option of docs/options.md. Repeatable."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, metavar="N", help="Worker processes; by default at most one per core."),
]

ExecutorOption = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="CLUSTER",
        help="Work on a cluster, with the same result: dask://HOST:PORT, or slurm:FILE.yaml.",
    ),
]


@contextmanager
def cluster_client(executor: str | None) -> Iterator[Client | None]:
    """Client of the cluster of `--executor`, one for all that a command does; None where there is none."""
    if executor is None:
        yield None
        return
    from xtalpriors.cluster import open_cluster

    with open_cluster(executor) as client:
        yield client


def say(text: object) -> None:
    """Print a result on standard output.

    Where nobody reads it (`xtalpriors fit | head -1`), the rest is printed to nowhere: the work goes on.

    Raises
    ------
    XtalpriorsError
        Standard output is a file on a full disk.
    """
    try:
        print(text, flush=True)  # noqa: T201
    except BrokenPipeError:
        to_nowhere()
    except OSError as error:
        to_nowhere()
        raise XtalpriorsError(
            f"the result cannot be printed ({error.strerror}); what the command wrote is kept."
        ) from error


def to_nowhere() -> None:
    """Let standard output lead to nowhere from now on, so that no flush of it fails."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def params() -> Params:
    """`params.yaml` of the current folder."""
    from xtalpriors.params import load_params

    return load_params(PARAMS)


def corpora(of: Params, corpus: str | None) -> list[tuple[str, list[str]]]:
    """Names and sources of the corpora meant: one, or all of params.yaml."""
    if not of.corpora:
        raise UsageError(
            f"{PARAMS} names no corpus. Give one, as in `corpora: {{mine: {{sources: [path/to/cifs]}}}}`, "
            "or the options of the command itself (see --help)."
        )
    names = [corpus] if corpus is not None else list(of.corpora)
    return [(name, list(of.corpus(name).sources)) for name in names]


def together(option: object, needs: dict[str, object]) -> None:
    """Options that go together: with any of `option` given, each that is needed must be."""
    missing = [name for name, value in needs.items() if value is None]
    if option and missing:
        raise UsageError(
            f"{' and '.join(missing)} must be given too (or give no options at all: params.yaml is read)."
        )


def key_values(options: Iterable[str]) -> dict[str, object]:
    """`key=value` pairs; the value is read as YAML, so that numbers, lists and null can be given."""
    import yaml

    pairs: dict[str, object] = {}
    for text in options:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set takes KEY=VALUE, as in --set min_distance_angstrom=1.3, not '{text}'.")
        try:
            pairs[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {text}: '{value}' cannot be read as YAML.") from error
    return pairs


def cell_of(text: str | None) -> UnitCell | None:
    """The cell of six numbers in a text; None of None."""
    from xtalpriors.crystal import UnitCell

    if text is None:
        return None
    try:
        a, b, c, alpha, beta, gamma = (float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise UsageError(
            f"--cell takes six numbers, as in --cell '7.1 9.2 6.5 90 105.3 90', not '{text}'."
        ) from error
    return UnitCell(a, b, c, alpha, beta, gamma)
