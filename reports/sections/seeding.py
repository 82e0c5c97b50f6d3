"""What a study of phase seeding found: by the number of seeds, under overlap, and with seeds of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from xtalpriors.model.seeding.rows import ARTIFICIAL, NO_SEEDS, TRUE_PHASES, of_networks
from xtalpriors.model.seeding.shares import side_by_side, solved_shares, with_centre
from xtalpriors.priors.bundle import published_bundle
from xtalpriors.reports.figures import powder_overlap, seeding
from xtalpriors.reports.html import html_table, words
from xtalpriors.reports.meta import FigureMeta, Rendered, Sample
from xtalpriors.reports.section import Section, Table, render

__all__ = ["printed", "seeding_sections"]

_HEADS = {
    "centre": "space groups",
    "space_group": "space group",
    "volume_class_angstrom3": "V / Å³",
    "d_min_angstrom": "d_min / Å",
    "overlap_degree": "overlap / °",
    "n": "N",
    "phases": "phases",
}
_BY_CENTRE = ("centre", "volume_class_angstrom3", "d_min_angstrom")
_BY_OVERLAP = ("centre", "volume_class_angstrom3", "d_min_angstrom", "overlap_degree")

Rows = Sequence[Mapping[str, Any]]


def seeding_sections(rows: Rows) -> list[Section]:
    """Sections on the rows of a study, of those parts that it has."""
    sections = []
    for source in dict.fromkeys(row["source"] for row in rows):
        own = [row for row in rows if row["source"] == source]
        key = "" if source == ARTIFICIAL else f"-{source}"
        name = "artificial crystals" if source == ARTIFICIAL else f"real crystals of {source}"
        if any(row["overlap_degree"] for row in own):
            sections.append(_overlap(own, key, name))
        single = [row for row in own if not row["overlap_degree"]]
        if any(row["seeds"] == TRUE_PHASES for row in single):
            sections.append(_seeds(single, key, name))
        if of_networks(own):
            sections.append(_networks(own, key, name))
    return sections


def printed(rows: Rows) -> pd.DataFrame:
    """The shares of all combinations as texts, with headings for people."""
    overlap = any(row["overlap_degree"] for row in rows)
    by = ("source", *(_BY_OVERLAP if overlap else _BY_CENTRE))
    return _formatted(side_by_side(with_centre(rows), by))


def _formatted(frame: pd.DataFrame) -> pd.DataFrame:
    digits = {"volume_class_angstrom3": ",.0f", "d_min_angstrom": ".2f", "overlap_degree": "g", "n": ",d"}
    for name, form in digits.items():
        if name in frame:
            frame = frame.assign(**{name: [format(x, form) for x in frame[name]]})
    return frame.rename(columns=_HEADS)


def _table(rows: Rows, by: Sequence[str], title: str, csv: str) -> Table:
    frame = _formatted(side_by_side(with_centre(rows), by))
    fixed = set(_HEADS.values()) - {"V / Å³", "d_min / Å", "overlap / °", "N"}
    numeric = [name for name in frame.columns if name not in fixed]
    return Table(title, html_table(frame, numeric=numeric), words("seeding", "table"), csv)


def _seeds(rows: Rows, key: str, name: str) -> Section:
    figure = _figure(
        seeding,
        f"seeding{key}",
        f"Solved from seeds, {name}",
        seeding.data(rows),
        rows,
        words("seeding", "figure"),
    )
    table = _table(rows, _BY_CENTRE, f"Shares solved, {name}", f"seeding{key}")
    lead = words("seeding", "lead", name=name, n=len({_crystal(row) for row in rows}))
    return Section(f"seeds{key}", f"How many seeds are enough? {name.capitalize()}", lead, [figure], [table])


def _overlap(rows: Rows, key: str, name: str) -> Section:
    frame = powder_overlap.data(rows)
    figure = _figure(
        powder_overlap,
        f"powder-overlap{key}",
        f"Solved under overlap, {name}",
        frame,
        rows,
        words("seeding", "overlap_figure"),
    )
    table = _table(rows, _BY_OVERLAP, f"Shares solved under overlap, {name}", f"powder-overlap{key}")
    lead = words("seeding", "overlap", name=name)
    return Section(
        f"overlap{key}", f"How much overlap is too much? {name.capitalize()}", lead, [figure], [table]
    )


def _networks(rows: Rows, key: str, name: str) -> Section:
    by = ("space_group", "volume_class_angstrom3", "d_min_angstrom")
    asked = [row for row in rows if row["seeds"] != TRUE_PHASES]
    networks = {row["seeds"] for row in of_networks(rows)}
    where = {tuple(row[k] for k in by) for row in asked if row["seeds"] in networks}
    asked = [row for row in asked if tuple(row[k] for k in by) in where]
    lines = []
    for row in solved_shares(asked, by).to_dict("records"):
        fraction, error = row["fraction"], row["seed_error_degree"]
        solved, low, high = (100 * row[k] for k in ("solved", "low", "high"))
        own = "charge flipping, one trial" if row["seeds"] == NO_SEEDS else "its own phases"
        lines.append(
            {
                **{_HEADS[k]: row[k] for k in by},
                "network": "–" if row["seeds"] == NO_SEEDS else row["seeds"],
                "seeds": own if pd.isna(fraction) else f"its surest {100 * fraction:g} %",
                "mean phase error / °": "–" if pd.isna(error) else f"{error:.0f}",
                "N": f"{row['n']:,}",
                "solved / %": f"{solved:.0f} ({low:.0f} to {high:.0f})",
                "median r": f"{row['median_r']:.3f}",
            }
        )
    frame = pd.DataFrame(lines)
    frame = frame.assign(**{"V / Å³": [f"{x:,.0f}" for x in frame["V / Å³"]]})
    numeric = ["V / Å³", "d_min / Å", "mean phase error / °", "N", "solved / %", "median r"]
    title = f"Seeds from networks, {name}"
    table = Table(title, html_table(frame, numeric=numeric), words("seeding", "networks_table"))
    return Section(f"networks{key}", title, words("seeding", "networks"), [], [table])


def _figure(module: Any, name: str, title: str, frame: pd.DataFrame, rows: Rows, caption: str) -> Rendered:
    groups = sorted({str(row["space_group"]) for row in rows})
    samples = tuple(
        Sample(group, len({_crystal(row) for row in rows if row["space_group"] == group})) for group in groups
    )
    bundle = published_bundle()
    artificial = all(row["source"] == ARTIFICIAL for row in rows)
    digests = {bundle.name: str(bundle.priors_digest)} if artificial else {}
    corpus = "artificial molecules" if artificial else str(rows[0]["source"])
    meta = FigureMeta(corpus, samples, "no cell", None, digests)
    return render(module, name, "", title, frame, meta, caption)


def _crystal(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["space_group"], row["volume_class_angstrom3"], row["crystal"]
