"""`xtalpriors sync`, `manifest`, `mine` and `subset`: a crystal database into a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xtalpriors.cli.common import (
    CorpusOption,
    ExecutorOption,
    SourceOption,
    WorkersOption,
    cluster_client,
    corpora,
    params,
    say,
    together,
)
from xtalpriors.errors import UsageError
from xtalpriors.paths import PARAMS, CorpusPaths

if TYPE_CHECKING:
    from xtalpriors.mining import DaskExecutor, Source


def sync(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The mirror; by default each of params.yaml.")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL|FILE",
            help="rsync://, svn:// or a downloaded .zip or .tar; by default where it came from before, "
            "at first the COD's rsync server.",
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="N/NN", help="Only these parts, such as 2 or 2/01. Repeatable."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Say how much would come; change nothing.")
    ] = False,
    max_gb: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="GB",
            help="Stop when so much has come (a few files more may); go on another day.",
        ),
    ] = None,
    max_deletions: Annotated[
        int, typer.Option(min=0, metavar="N", help="More files than this are not deleted.")
    ] = 1_000,
    bandwidth: Annotated[
        int | None, typer.Option("--kB-per-second", min=1, metavar="N", help="No faster than this (rsync).")
    ] = None,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", metavar="", help="Take over a folder that was not made by this command."),
    ] = False,
) -> None:
    """Mirror the COD on this disk, or bring a mirror up to date; what was interrupted goes on."""
    from xtalpriors.mining import MirrorLimits, mirrors_of, sync_mirror
    from xtalpriors.progress import bar

    folders = [folder] if folder else mirrors_of(s for _, sources in corpora(params(), None) for s in sources)
    if not folders:
        raise UsageError("params.yaml names no folder that is a mirror: say which, `xtalpriors sync DIR`.")
    limits = MirrorLimits(
        size_bytes=None if max_gb is None else round(max_gb * 1e9),
        deletions=max_deletions,
        kilobytes_per_second=bandwidth,
    )
    for one in folders:
        say(
            sync_mirror(
                one,
                origin,
                ranges=part or (),
                limits=limits,
                is_dry_run=dry_run,
                adopt=adopt,
                progress=bar,
            )
        )


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
    from xtalpriors.mining import parse_source, update_manifest
    from xtalpriors.progress import bar

    together(source or output, {"--source": source, "--output": output})
    hash_new = True
    if source and output:
        jobs = [(source, output)]
    else:
        settings = params()
        hash_new = settings.mine.hash_new
        jobs = [(sources, CorpusPaths(name).manifest) for name, sources in corpora(settings, corpus)]
    for sources, path in jobs:
        parsed = [parse_source(s) for s in sources]
        say(update_manifest(parsed, path, verify=verify, hash_new=hash_new, progress=bar))


def mine(
    source: SourceOption = None,
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="DuckDB database to make or to bring up to date.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Manifest made before; without it the sources are listed now."),
    ] = None,
    corpus: CorpusOption = None,
    workers: WorkersOption = None,
    executor: ExecutorOption = None,
) -> None:
    """Read every new or changed CIF into the database; files unchanged since the last run cost nothing."""
    from xtalpriors.mining import digest_file, parse_source, update_manifest
    from xtalpriors.mining import mine as run
    from xtalpriors.progress import bar

    together(source or database or manifest, {"--source": source, "--database": database})
    if source and database:
        parsed, file = [parse_source(s) for s in source], digest_file(database)
        with _executor(executor) as where:
            say(run(parsed, manifest, database, digest=file, workers=workers, progress=bar, executor=where))
        _say_incomplete(parsed)
        return
    settings = params()
    workers, executor = workers or settings.mine.workers, executor or settings.mine.executor
    with _executor(executor) as where:
        for name, sources in corpora(settings, corpus):
            paths, parsed = CorpusPaths(name), [parse_source(s) for s in sources]
            say(update_manifest(parsed, paths.manifest, hash_new=settings.mine.hash_new, progress=bar))
            say(
                run(
                    parsed,
                    paths.manifest,
                    paths.database,
                    digest=paths.digest,
                    workers=workers,
                    progress=bar,
                    executor=where,
                )
            )
            _say_incomplete(parsed)


def _say_incomplete(sources: list[Source]) -> None:
    """Say which of the sources are mirrors that have not come as a whole."""
    from xtalpriors.mining import incomplete_mirrors

    for sentence in incomplete_mirrors(sources):
        say(f"      {sentence}")


@contextmanager
def _executor(cluster: str | None) -> Iterator[DaskExecutor | None]:
    """Where files are read: on a cluster, or by worker processes here."""
    from xtalpriors.mining import DaskExecutor

    with cluster_client(cluster) as client:
        yield None if client is None else DaskExecutor(client)


def subset(
    database: Annotated[Path | None, typer.Option(metavar="FILE", help="Mined database.")] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Subset, as params.yaml defines it.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Table to write (.parquet).")] = None,
    corpus: CorpusOption = None,
) -> None:
    """Write the entries of a subset, and their sites beside them, as sorted Parquet."""
    from xtalpriors.mining import DEFAULT_SUBSETS, write_subset

    together(database or output, {"--database": database, "--name": name, "--output": output})
    if database and name and output:
        known = params().subsets if PARAMS.exists() else {d.name: d for d in DEFAULT_SUBSETS.values()}
        if name not in known:
            raise UsageError(f"There is no subset '{name}'; there are: {', '.join(known)}.")
        say(write_subset(database, known[name], output))
        return
    settings = params()
    for corpus_name, _ in corpora(settings, corpus):
        paths = CorpusPaths(corpus_name)
        for one in [name] if name is not None else list(settings.subsets):
            say(write_subset(paths.database, settings.subset(one), paths.subset(one)))
