"""The command line: parses arguments and calls the library; each command imports what it needs.

Exit status: 0 done, 1 the run failed, 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import sys
import textwrap
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xtalpriors import __version__
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.layout import PARAMS, CorpusPaths

if TYPE_CHECKING:
    from xtalpriors.params import Params

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Crystal databases in, generator priors out: mine CIFs into DuckDB, fit priors, write figure "
    "reports, generate artificial crystal structures. Without options a command reads params.yaml.",
)
priors_app = typer.Typer(no_args_is_help=True, help="Read, check and compare prior bundles (JSON).")
app.add_typer(priors_app, name="priors")

SourceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="`cod:DIR` (a COD mirror or any tree of CIFs), `amcsd` (minerals of the larixite package), "
        "`archive:FILE` (zip, tar or one multi-block CIF), `csd` (needs the licensed ccdc package). "
        "Repeatable: several sources go into one database.",
    ),
]
CorpusOption = Annotated[
    str | None,
    typer.Option("--corpus", metavar="NAME", help="A corpus of params.yaml; without it, all of them."),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, metavar="N", help="Worker processes; by default one a core.")
]


def _params() -> Params:
    from xtalpriors.params import load_params

    return load_params(PARAMS)


def _corpora(params: Params, corpus: str | None) -> list[tuple[str, list[str]]]:
    """Names and sources of the corpora meant: one, or all of params.yaml."""
    names = [corpus] if corpus is not None else list(params.corpora)
    return [(name, list(params.corpus(name).sources)) for name in names]


def _say(text: object) -> None:
    print(text, flush=True)  # noqa: T201


def _alone(option: object, needs: dict[str, object]) -> None:
    """Options that go together: with the first given, each other one must be."""
    missing = [name for name, value in needs.items() if value is None]
    if option and missing:
        raise UsageError(
            f"{' and '.join(missing)} must be given too (or give no options at all: params.yaml is read)."
        )


@app.command()
def manifest(
    source: SourceOption = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Manifest to update (.parquet).")
    ] = None,
    corpus: CorpusOption = None,
    verify: Annotated[
        bool, typer.Option("--verify", metavar="", help="Hash every file again, unchanged ones too.")
    ] = False,
) -> None:
    """List the files of a source with size, times and content hash, and say what is new, changed and gone."""
    from xtalpriors.mining.manifest import update_manifest
    from xtalpriors.mining.sources import parse_source
    from xtalpriors.progress import bar

    _alone(source, {"--output": output})
    if source and output:
        jobs = [(source, output)]
    else:
        jobs = [(sources, CorpusPaths(name).manifest) for name, sources in _corpora(_params(), corpus)]
    for sources, path in jobs:
        _say(update_manifest([parse_source(s) for s in sources], path, verify=verify, progress=bar))


@app.command()
def mine(
    source: SourceOption = None,
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="DuckDB database to make or to bring up to date.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Manifest made before; without it one is made beside the database."
        ),
    ] = None,
    corpus: CorpusOption = None,
    workers: WorkersOption = None,
) -> None:
    """Read every new or changed CIF into the database; files unchanged since the last run cost nothing."""
    from xtalpriors.mining.mine import mine as run
    from xtalpriors.mining.sources import parse_source
    from xtalpriors.progress import bar

    _alone(source, {"--database": database})
    if source and database:
        _say(
            run(
                [parse_source(s) for s in source],
                manifest,
                database,
                digest=database.with_suffix(".digest.json"),
                workers=workers,
                progress=bar,
            )
        )
        return
    params = _params()
    for name, sources in _corpora(params, corpus):
        paths = CorpusPaths(name)
        _say(
            run(
                [parse_source(s) for s in sources],
                paths.manifest if paths.manifest.exists() else None,
                paths.database,
                digest=paths.digest,
                workers=workers or params.mine.workers,
                progress=bar,
            )
        )


@app.command()
def subset(
    database: Annotated[Path | None, typer.Option(metavar="FILE", help="Mined database.")] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Subset, as params.yaml defines it.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Table to write (.parquet).")] = None,
    corpus: CorpusOption = None,
) -> None:
    """Write the entries of a subset, and their sites beside them, as sorted Parquet."""
    from xtalpriors.mining.subsets import DEFAULT_SUBSETS, write_subset

    _alone(database or output, {"--database": database, "--name": name, "--output": output})
    if database and name and output:
        known = _params().subsets if PARAMS.exists() else {d.name: d for d in DEFAULT_SUBSETS.values()}
        if name not in known:
            raise UsageError(f"There is no subset '{name}'; there are: {', '.join(known)}.")
        _say(write_subset(database, known[name], output))
        return
    params = _params()
    for corpus_name, _ in _corpora(params, corpus):
        paths = CorpusPaths(corpus_name)
        for one in [name] if name is not None else list(params.subsets):
            _say(write_subset(paths.database, params.subset(one), paths.subset(one)))


@app.command()
def fit(
    subset: Annotated[Path | None, typer.Option(metavar="FILE", help="Subset (.parquet).")] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Bundle to write (.json).")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Subset of params.yaml.")] = None,
    corpus: CorpusOption = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the bootstrap.")] = None,
    bootstrap: Annotated[int | None, typer.Option(min=100, help="Bootstrap resamples.")] = None,
) -> None:
    """Fit every prior to a subset and write the bundle (JSON), its provenance and its metrics."""
    from xtalpriors.priors.fit import fit_subset

    _alone(subset or output, {"--subset": subset, "--output": output})
    params = _params() if not (subset and output) or PARAMS.exists() else None
    options = {
        "seed": seed if seed is not None else (params.fit.seed if params else 1),
        "bootstrap": bootstrap if bootstrap is not None else (params.fit.bootstrap if params else 1000),
    }
    if subset and output:
        _say(fit_subset(subset, output, **options))
        return
    assert params is not None
    for corpus_name, _ in _corpora(params, corpus):
        paths = CorpusPaths(corpus_name)
        for one in [name] if name is not None else list(params.subsets):
            params.subset(one)
            _say(fit_subset(paths.subset(one), paths.bundle(one), **options))


@app.command()
def report(
    database: Annotated[Path | None, typer.Option(metavar="FILE", help="Mined database.")] = None,
    bundle: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="Bundle; repeatable.")] = None,
    output: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the report.")] = None,
    corpus: CorpusOption = None,
) -> None:
    """Write the figure report: index.html, and each figure as SVG with its data as CSV."""
    from xtalpriors.reports.build import build_report

    _alone(database or bundle, {"--database": database, "--bundle": bundle or None, "--output": output})
    if database and bundle and output:
        _say(build_report(database, bundle, output))
        return
    params = _params()
    for corpus_name, _ in _corpora(params, corpus):
        paths = CorpusPaths(corpus_name)
        _say(
            build_report(
                paths.database,
                [paths.bundle(one) for one in params.subsets],
                paths.report,
                subsets=[paths.subset(one) for one in params.subsets],
                generated=[path for s in params.strategies if (path := paths.generated(s)).exists()],
            )
        )


@priors_app.command("show")
def priors_show(file: Annotated[Path, typer.Argument(metavar="FILE", help="Bundle.")]) -> None:
    """Print a bundle as a person reads it: each prior with its parameters, intervals and goodness of fit."""
    from xtalpriors.priors.bundle import load_bundle
    from xtalpriors.priors.show import show_bundle

    _say(show_bundle(load_bundle(file)))


@priors_app.command("validate")
def priors_validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Bundles.")],
) -> None:
    """Check that bundles are whole: schema, versions and digest. A bundle edited by hand fails."""
    from xtalpriors.priors.bundle import load_bundle

    failed = []
    for file in files:
        try:
            bundle = load_bundle(file)
        except XtalpriorsError as error:
            failed.append(str(error))
        else:
            _say(f"{file}: valid, priors digest {bundle.priors_digest}")
    if failed:
        raise XtalpriorsError("\n".join(failed))


@priors_app.command("compare")
def priors_compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Bundle before.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Bundle after.")],
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """Say how far each prior moved from A to B, in the generator's terms, and whether by more than chance."""
    from xtalpriors.priors.bundle import load_bundle
    from xtalpriors.priors.compare import compare

    result = compare(load_bundle(a), load_bundle(b))
    _say(result.to_json() if json else result)


@app.callback(invoke_without_command=True)
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", metavar="", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Print the version and stop.")
    ] = False,
) -> None:
    if version:
        _say(f"xtalpriors {__version__}")
        raise typer.Exit


def _paragraph(lines: Iterable[str]) -> str:
    return "\n".join(
        textwrap.fill(line, 100, break_long_words=False, break_on_hyphens=False) for line in lines
    )


def _fail(message: str) -> None:
    print(_paragraph(f"xtalpriors: {message}".splitlines()), file=sys.stderr)  # noqa: T201


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        status = _run(sys.argv[1:])
    except BrokenPipeError:
        sys.stderr.close()
        status = 1
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    """Exit status of a command line; errors are one paragraph, with the traceback under --debug."""
    debug = "--debug" in arguments
    try:
        status = app(
            args=[a for a in arguments if a != "--debug"], prog_name="xtalpriors", standalone_mode=False
        )
        return int(status or 0)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted; what was finished is kept, and the same command goes on from there.")
        return 130
    except (XtalpriorsError, OSError, MemoryError) as error:
        if debug:
            traceback.print_exc()
        _fail(str(error) or type(error).__name__)
        return 2 if isinstance(error, UsageError) else 1
    except Exception as error:  # noqa: BLE001 - the last resort: wrong use and bugs are said in a sentence
        wrong_use = getattr(error, "format_message", None)  # the parser's own errors
        if wrong_use is not None:
            _fail(
                f"{wrong_use()} (see 'xtalpriors {arguments[0] if arguments else ''} --help')".replace(
                    "  ", " "
                )
            )
            return 2
        if debug:
            traceback.print_exc()
        _fail(f"a bug: {type(error).__name__}: {error}. Please report it with what --debug prints.")
        return 1
