"""The sections on space groups, on the data behind the structures, and on what was lost on the way."""

from __future__ import annotations

import pandas as pd

from xtalpriors.reports.figures import diffraction, redeterminations, rejections, space_groups, waterfall
from xtalpriors.reports.inputs import LARGE, SMALL, Inputs
from xtalpriors.reports.meta import Rendered, Sample, count
from xtalpriors.reports.section import Section, Table, html_table, render

__all__ = ["losses_section", "symmetry_section"]


def symmetry_section(inputs: Inputs) -> Section:
    """Space groups with their settings; resolution and completeness."""
    return Section("symmetry", "Symmetry and data", figures=[_space_groups(inputs), _diffraction(inputs)])


def losses_section(inputs: Inputs) -> Section:
    """Waterfall, rejections by reason, redeterminations, and the counts of every subset."""
    lead = (
        "Whatever is lost between file and statistic biases the priors, so each loss is counted. A file "
        "can give "
        "several structures, and a rejected block does not take its file with it."
    )
    figures = [_waterfall(inputs), _rejections(inputs), _redeterminations(inputs)]
    return Section("losses", "From files to statistics", lead, figures, [_subset_table(inputs)])


def _space_groups(inputs: Inputs) -> Rendered:
    large = inputs.large
    frame = space_groups.data(large.frame)
    caption = f"{LARGE} has no structure in this corpus."
    if len(frame):
        groups = frame["number"].nunique()
        first = frame.iloc[0]
        of_14 = frame[frame["number"] == 14]
        caption = (
            f"{LARGE}: {groups} of the 230 space groups occur; the most frequent is {first['symbol']} with "
            f"{100 * first['group_share']:.1f} % ({100 * first['low']:.1f} to {100 * first['high']:.1f}). "
            f"Groups and settings are computed from the operators in use. "
        )
        if len(of_14):
            rows = zip(of_14["setting"], of_14["share"] / of_14["group_share"], strict=True)
            settings = ", ".join(f"{setting} {100 * share:.0f} %" for setting, share in list(rows)[:4])
            caption += f"No. 14 is given as {settings}."
    meta = inputs.meta([large.sample()], "declared")
    return render(
        space_groups, "space_groups", "Symmetry", "Space groups and their settings", frame, meta, caption
    )


def _diffraction(inputs: Inputs) -> Rendered:
    parts = {name: inputs.subsets[name].frame for name in (LARGE, SMALL)}
    columns = ("d_min_angstrom", "completeness")
    known = {name: [int(frame[c].notna().sum()) for c in columns] for name, frame in parts.items()}
    frame = diffraction.data(parts)
    counts = "; ".join(f"{name}: {count(a)} and {count(b)}" for name, (a, b) in known.items())
    caption = (
        f"Entries that state a resolution, and a completeness: {counts}. Dash-dotted: the ranges in which "
        f"the 2024 "
        "PhAI study drew both; the 2026 paper fixes 1.0 Å and 100 %."
    )
    if not any(sum(pair) for pair in known.values()):
        caption = f"No entry of {LARGE} states θₘₐₓ, dₘᵢₙ or a completeness."
    samples = [s.sample(s.frame["d_min_angstrom"]) for s in (inputs.large, inputs.small)]
    meta = inputs.meta(samples, "no cell")
    return render(diffraction, "diffraction", "Data", "Resolution and completeness", frame, meta, caption)


def _waterfall(inputs: Inputs) -> Rendered:
    frame = waterfall.data(inputs.large.waterfall)
    caption = (
        f"From {count(inputs.corpus.n_files)} files to the {count(len(inputs.large.frame))} structures of "
        f"{LARGE}, "
        "each filter in its turn. An entry that several filters would drop counts for the first."
    )
    meta = inputs.meta([inputs.large.sample()], "declared")
    return render(waterfall, "waterfall", "Losses", "Waterfall", frame, meta, caption)


def _rejections(inputs: Inputs) -> Rendered:
    corpus = inputs.corpus
    frame = rejections.data(corpus.rejections)
    caption = "Every file gave a structure."
    if len(frame):
        lost = (
            "One file or block was"
            if corpus.n_rejections == 1
            else f"{count(corpus.n_rejections)} files or blocks were"
        )
        reasons = "" if len(frame) == 1 else f", for {len(frame)} reasons"
        caption = (
            f"{lost} rejected{reasons}; {count(corpus.files_with_entry)} of {count(corpus.n_files)} files "
            f"gave at "
            "least one structure. The CSV names an example of each reason, the database's table of "
            "rejections has all."
        )
    meta = inputs.meta([Sample("all files", corpus.n_files)], "no cell")
    return render(rejections, "rejections", "Losses", "Rejections by reason", frame, meta, caption)


def _redeterminations(inputs: Inputs) -> Rendered:
    corpus = inputs.corpus
    frame = redeterminations.data(corpus.cluster_sizes)
    again = corpus.n_entries - int(frame.loc[frame["size"] == "1", "entries"].sum())
    caption = (
        f"{count(corpus.n_entries)} entries are {count(corpus.n_clusters)} different structures: same "
        f"composition, "
        f"space group and reduced cell. {100 * again / corpus.n_entries:.0f} % of the entries share their "
        f"structure "
        "with another one; temperature and pressure series are among them. In the statistics a structure "
        "counts "
        "once: each entry weighs 1/size of its cluster within the subset."
    )
    meta = inputs.meta([Sample("all entries", corpus.n_entries, corpus.n_clusters)], "no cell")
    title = "Redeterminations"
    return render(redeterminations, "redeterminations", "Losses", title, frame, meta, caption)


def _subset_table(inputs: Inputs) -> Table:
    rows = []
    for name, subset in inputs.subsets.items():
        conventions = ", ".join(
            f"{count(n)} {k.replace('_', '-')}" for k, n in subset.n_by_convention.items()
        )
        bundle = "yes" if name in inputs.bundles else "–"
        description = str(subset.definition.get("description") or "")
        rows.append(
            (name, description, count(len(subset.frame)), count(subset.n_clusters), conventions, bundle)
        )
    columns = ["Subset", "What", "Entries", "Clusters", "By convention of the lengths", "Bundle"]
    frame = pd.DataFrame(rows, columns=columns)
    return Table("Subsets", html_table(frame, numeric=("Entries", "Clusters")))
