"""The sections on space groups, on the data behind the structures, and on what was lost on the way."""

from __future__ import annotations

from collections.abc import Collection

from xtalpriors.reports.figures import (
    diffraction,
    groups,
    redeterminations,
    rejections,
    space_groups,
    waterfall,
)
from xtalpriors.reports.html import markup, words
from xtalpriors.reports.inputs import Inputs
from xtalpriors.reports.meta import Rendered, Sample, count
from xtalpriors.reports.section import Section, Table, drawn, render
from xtalpriors.reports.subset_data import described

__all__ = ["losses_section", "symmetry_section", "waterfall_figure"]


def symmetry_section(inputs: Inputs) -> Section:
    """Space groups with their settings, cells and contents by group; resolution and completeness."""
    figures, lead = drawn([_space_groups(inputs), _groups(inputs), _diffraction(inputs)])
    return Section("symmetry", "Which symmetry, and how good are the data?", lead, figures)


def losses_section(inputs: Inputs, pages: Collection[str] = ()) -> Section:
    """Waterfall, rejections by reason, redeterminations, and the counts of every subset.

    `pages` are the names of the subsets that have a page of their own.
    """
    figures, missing = drawn([waterfall_figure(inputs), _rejections(inputs), _redeterminations(inputs)])
    lead = f"{words('losses', 'lead')} {missing}".strip()
    tables = [_subset_table(inputs, pages)]
    return Section("corpus", "What is in this corpus?", lead, figures, tables, tables_first=True)


def _space_groups(inputs: Inputs) -> Rendered:
    large = inputs.large
    frame = space_groups.data(large.frame)
    of_14 = frame[frame["number"] == 14]
    caption = words(
        "symmetry",
        "space_groups",
        subset=inputs.large.name,
        groups=frame["number"].nunique(),
        first=None if frame.empty else frame.iloc[0],
        settings_of_14=list(zip(of_14["setting"], of_14["share"] / of_14["group_share"], strict=True))[:4],
    )
    meta = inputs.meta([large.sample()], "declared")
    return render(
        space_groups, "space_groups", "Symmetry", "Space groups and their settings", frame, meta, caption
    )


def _groups(inputs: Inputs) -> Rendered:
    subset = inputs.large
    frame = groups.data(subset.frame)
    n = int(frame["rank"].max()) if len(frame) else 0
    caption = words("symmetry", "by_group", subset=subset.name, groups=n, shown=min(n, groups.SHOWN))
    meta = inputs.meta([subset.sample()], "declared")
    title = "Cells and contents by space group"
    return render(groups, "groups", "Symmetry", title, frame, meta, caption)


def _diffraction(inputs: Inputs) -> Rendered:
    parts = {name: inputs.subsets[name].frame for name in inputs.shown}
    columns = ("d_min_angstrom", "completeness")
    known = {name: [int(frame[c].notna().sum()) for c in columns] for name, frame in parts.items()}
    frame = diffraction.data(parts)
    caption = words("symmetry", "diffraction", known=known, largest=inputs.large.name)
    samples = [s.sample(s.frame["d_min_angstrom"]) for s in (inputs.subsets[n] for n in inputs.shown)]
    meta = inputs.meta(samples, "no cell")
    return render(diffraction, "diffraction", "Data", "Resolution and completeness", frame, meta, caption)


def waterfall_figure(inputs: Inputs) -> Rendered:
    """Files, structures, and what each filter of a subset leaves."""
    frame = waterfall.data(inputs.large.waterfall)
    files, structures = inputs.corpus.n_files, len(inputs.large.frame)
    caption = words("losses", "waterfall", files=files, structures=structures, subset=inputs.large.name)
    meta = inputs.meta([inputs.large.sample()], "declared")
    return render(waterfall, "waterfall", "Losses", "Waterfall", frame, meta, caption)


def _rejections(inputs: Inputs) -> Rendered:
    corpus = inputs.corpus
    frame = rejections.data(corpus.rejections)
    caption = words(
        "losses",
        "rejections",
        reasons=len(frame),
        rejected=corpus.n_rejections,
        files_with_entry=corpus.files_with_entry,
        files=corpus.n_files,
    )
    meta = inputs.meta([Sample("all files", corpus.n_files)], "no cell")
    return render(rejections, "rejections", "Losses", "Rejections by reason", frame, meta, caption)


def _redeterminations(inputs: Inputs) -> Rendered:
    corpus = inputs.corpus
    frame = redeterminations.data(corpus.cluster_sizes)
    entries, clusters = corpus.n_entries, corpus.n_clusters
    again = (entries - int(frame.loc[frame["size"] == "1", "entries"].sum())) / entries
    caption = words("losses", "redeterminations", entries=entries, clusters=clusters, again=again)
    meta = inputs.meta([Sample("all entries", corpus.n_entries, corpus.n_clusters)], "no cell")
    title = "Redeterminations"
    return render(redeterminations, "redeterminations", "Losses", title, frame, meta, caption)


def _subset_table(inputs: Inputs, pages: Collection[str]) -> Table:
    rows = [
        {
            "name": name,
            "page": name in pages,
            "what": described(subset),
            "entries": len(subset.frame),
            "clusters": subset.n_clusters,
            "conventions": {key.replace("_", "-"): count(n) for key, n in subset.n_by_convention.items()},
            "bundle": name in inputs.bundles,
        }
        for name, subset in inputs.subsets.items()
    ]
    return Table("Subsets", markup("subsets", "table", rows=rows), words("subsets", "table_lead"))
