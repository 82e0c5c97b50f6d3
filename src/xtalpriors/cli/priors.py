"""`xtalpriors fit`, `report` and `priors …`: statistics, what they look like, and how far they moved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xtalpriors.cli.commands import Command, Group
from xtalpriors.cli.common import CorpusOption, corpora, params, say, together
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.paths import PARAMS, REPORTS, CorpusPaths, published

priors_app = typer.Typer(
    cls=Group, no_args_is_help=True, help="Read, check and compare prior bundles (JSON)."
)


def fit(
    subset: Annotated[Path | None, typer.Option(metavar="FILE", help="Subset (.parquet).")] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Bundle to write (.json).")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Subset of params.yaml.")] = None,
    corpus: CorpusOption = None,
    parent: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Subset that a small one is pooled towards; by default the one it names."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, metavar="S", help="Seed of the bootstrap.")] = None,
    bootstrap: Annotated[int | None, typer.Option(min=100, metavar="N", help="Bootstrap resamples.")] = None,
) -> None:
    """Fit every prior to a subset and write the bundle (JSON), its provenance and its metrics."""
    from xtalpriors.params import FitParams
    from xtalpriors.priors import fit_subset
    from xtalpriors.progress import bar

    together(subset or output, {"--subset": subset, "--output": output})
    if subset and output:
        jobs = [(subset, output)]
        chosen = params().fit if PARAMS.exists() else FitParams()
    else:
        settings = params()
        chosen = settings.fit
        names = [name] if name is not None else list(settings.subsets)
        places = [CorpusPaths(one) for one, _ in corpora(settings, corpus)]
        jobs = [(p.subset(settings.subset(n).name), p.bundle(n)) for p in places for n in names]
    for source, target in jobs:
        bundle = fit_subset(
            source,
            target,
            seed=chosen.seed if seed is None else seed,
            parent=parent,
            bootstrap=chosen.bootstrap if bootstrap is None else bootstrap,
            best_of_cluster=chosen.best_of_cluster,
            ratio_max=chosen.ratio_max,
            beta_max_degree=chosen.beta_max_degree,
            progress=bar,
        )
        say(f"{target}: {bundle.name}, priors digest {bundle.priors_digest}")
        for prior, reason in bundle.unavailable.items():
            say(f"  no {prior}: {reason}")


def report(
    database: Annotated[Path | None, typer.Option(metavar="FILE", help="Mined database.")] = None,
    bundle: Annotated[
        list[Path] | None, typer.Option(metavar="FILE|NAME", help="Bundle, or melgalvis-2026; repeatable.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the report.")] = None,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Scores that `evaluate` wrote, on structures of this database; repeatable.",
        ),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of releases: what changed since the last comes first."),
    ] = None,
    powder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Scores that `powder evaluate` wrote: a page on powder patterns."),
    ] = None,
    seeding: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of a `seed-study`: a page on phase seeding.")
    ] = None,
    corpus: CorpusOption = None,
) -> None:
    """Write the figure report: index.html, and each figure as SVG with its data as CSV."""
    from xtalpriors.priors import last_release
    from xtalpriors.reports import build_report, write_index

    given = database or bundle or output or evaluation or since or powder or seeding
    together(given, {"--database": database, "--bundle": bundle or None, "--output": output})
    if since is not None and last_release(since) is None:
        found = "there is no release in it" if since.is_dir() else "there is no such folder"
        raise UsageError(
            f"--since {since}: {found}. Name the folder with the versions of `xtalpriors priors release`."
        )
    if database and bundle and output:
        say(
            build_report(
                database,
                bundle,
                output,
                evaluations=evaluation,
                releases=since,
                powder=powder,
                seeding=seeding,
            )
        )
        return
    settings = params()
    for corpus_name, _ in corpora(settings, corpus):
        paths = CorpusPaths(corpus_name)
        say(
            build_report(
                paths.database,
                [*(paths.bundle(one) for one in settings.subsets), published()],
                paths.report,
                subsets=[paths.subset(one) for one in settings.subsets],
                generated=[path for s in settings.strategies if (path := paths.generated(s)).exists()],
                evaluations=[p for s in settings.evaluated_subsets if (p := paths.evaluation_of(s)).exists()]
                if paths.evaluation.is_dir()
                else None,
                releases=paths.releases,
                powder=paths.powder if paths.powder.is_dir() else None,
            )
        )
    say(write_index(REPORTS, list(settings.corpora)))


@priors_app.command("show", cls=Command)
def priors_show(file: Annotated[Path, typer.Argument(metavar="FILE", help="Bundle.")]) -> None:
    """Print a bundle as a person reads it: each prior with its parameters, intervals and goodness of fit."""
    from xtalpriors.priors import load_bundle, show_bundle

    say(show_bundle(load_bundle(file)))


@priors_app.command("validate", cls=Command)
def priors_validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Bundles.")],
) -> None:
    """Check that bundles are whole: schema, versions and digest. A bundle edited by hand fails."""
    from xtalpriors.priors import load_bundle

    failed = []
    for file in files:
        try:
            bundle = load_bundle(file)
        except XtalpriorsError as error:
            failed.append(str(error))
        else:
            say(f"{file}: valid, priors digest {bundle.priors_digest}")
    if failed:
        raise XtalpriorsError("\n".join(failed))


@priors_app.command("compare", cls=Command)
def priors_compare(
    a: Annotated[str, typer.Argument(metavar="A", help="Bundle before: a file, a name, or REVISION:FILE.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Bundle after.")],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="With it, A and B are git revisions of this bundle."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """Say how far each prior moved from A to B, in the generator's terms, and whether by more than chance."""
    from xtalpriors.priors import bundle_of_revision, compare, comparison_text, find_bundle, overlap

    before, after = (bundle_of_revision(side, file) if file else find_bundle(side) for side in (a, b))
    common = overlap(before, after)
    result = compare(before, after, shared=common.shared)
    say(result.to_json() if json else comparison_text(result, unknown=common.unknown))


@priors_app.command("release", cls=Command)
def priors_release(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Higher than the last: 2026.11, 1.2.0.")],
    bundle: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Bundle to release; repeatable.")
    ] = None,
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Mined database, for the list of its entries.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the releases.")] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Words for the changelog.")] = "",
    corpus: CorpusOption = None,
) -> None:
    """Copy bundles to a version of their own, with a changelog line: what updates are compared with."""
    from xtalpriors.priors import release_bundles

    together(bundle or database or output, {"--bundle": bundle or None, "--output": output})
    if bundle and output:
        say(release_bundles(bundle, output, version, database=database, note=note).folder)
        return
    settings = params()
    for name, _ in corpora(settings, corpus):
        paths = CorpusPaths(name)
        bundles = [paths.bundle(one) for one in settings.subsets]
        release = release_bundles(bundles, paths.releases, version, database=paths.database, note=note)
        say(release.folder)
