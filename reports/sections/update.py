"""The first section after an update: what came, went and changed since the last release, and each prior."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from xtalpriors.mining.subsets.snapshot import MARKS, Changes, changes_since
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.tell.compare import Move, compare
from xtalpriors.priors.tell.meaning import meaning
from xtalpriors.priors.tell.release import Release
from xtalpriors.priors.tell.verdict import PriorVerdict, Verdict, drawn_otherwise, sampling, verdicts
from xtalpriors.reports.html import markup, words
from xtalpriors.reports.inputs import Inputs, definition_of
from xtalpriors.reports.quantities import quantity
from xtalpriors.reports.section import Section, Table

__all__ = ["update_section"]

_EXAMPLES = 3
_SHOWN = 20
"""Entries of another structure that the page shows; the CSV file has all."""
_KINDS = ("entered", "left", "structure", "content")
_LOOKS = {"within sampling error": "good", "real": "moved", "large": "moved", "new": "none", "gone": "none"}


@dataclass(frozen=True, slots=True)
class _Row:
    """A prior of a subset and one of its quantities, as the table prints them."""

    prior: str
    quantity: str
    verdict: str
    share: str
    look: str
    before: str = "–"
    now: str = "–"
    shift: str = "–"
    interval: str = ""
    moved_by: str = "–"
    by_sampling: str = ""
    too_few: bool = False
    otherwise: str = "–"
    means: str = ""


def update_section(inputs: Inputs, release: Release) -> tuple[Section, dict[str, pd.DataFrame]]:
    """The section, and the frames of its CSV files by name."""
    earlier = release.bundles()
    pairs = {name: (earlier[name], now) for name, now in inputs.bundles.items() if name in earlier}
    changes = _changes(inputs, release, earlier)
    frames: dict[str, pd.DataFrame] = {}
    tables: list[Table] = []
    if changes is not None:
        frames["update-entries"] = changes.entries.to_pandas()
        tables += [_entries(changes), *_other_structures(changes)]
    found: dict[str, tuple[PriorVerdict, ...]] = {}
    of_priors: list[Table] = []
    for name, (before, now) in pairs.items():
        shared = changes.shared(name, now.created_from.parent) if changes else 0.0
        comparison = compare(before, now, shared=shared)
        found[name] = verdicts(comparison)
        frames[f"update-{name}"] = pd.DataFrame([move.model_dump() for move in comparison.moves])
        lead = words(
            "update",
            "priors_lead",
            digest=before.priors_digest,
            before=before.created_from.structures,
            now=now.created_from.structures,
            has_list=changes is not None,
            unknown=changes.unknown(name, now.created_from.parent) if changes else None,
            shared=shared,
            explained=not of_priors,
        )
        html = markup("update", "priors", rows=[row for verdict in found[name] for row in _rows(verdict)])
        of_priors.append(Table(f"Priors of {name}", html, lead, f"update-{name}"))
    if found:
        tables.append(_subsets(pairs, changes, found))
    lead = words(
        "update",
        "lead",
        version=release.version,
        digest=None if changes is None else changes.digest,
        counts=None if changes is None else _counts(changes),
        of=_tally([v.verdict for verdicts_of in found.values() for v in verdicts_of]),
        not_compared=sorted(inputs.bundles.keys() - found.keys()),
    )
    title = f"What has changed since release {release.version}?"
    return Section("update", title, lead, [], [*tables, *of_priors]), frames


def _changes(inputs: Inputs, release: Release, earlier: dict[str, PriorBundle]) -> Changes | None:
    """What became of the entries, with the subsets of the release: some may be borrowed from only."""
    if release.entries is None:
        return None
    definitions = [definition_of(bundle) for bundle in (earlier | inputs.bundles).values()]
    return changes_since(release.entries, inputs.database, [d for d in definitions if d is not None])


def _counts(changes: Changes) -> dict[str, int]:
    kinds = changes.entries["change"].to_list()
    return {kind: kinds.count(kind) for kind in (*_KINDS, "status")}


def _entries(changes: Changes) -> Table:
    """Entries by what became of them, each kind with examples, and the marks that were set and taken away."""
    frame = changes.entries.to_pandas()
    rows = [(kind, "", frame[frame["change"] == kind]) for kind in _KINDS]
    both = frame[~frame["change"].isin(["entered", "left"])]
    before, now = (both[f"status_{side}"].fillna("").str.split(", ") for side in ("before", "now"))
    for _, mark in MARKS:
        had, has = (_with(column, mark) for column in (before, now))
        rows += [("marked", mark, both[~had & has]), ("unmarked", mark, both[had & ~has])]
    shown = [
        {"kind": kind, "mark": mark, "n": len(part), "examples": part["entry_id"].tolist()[:_EXAMPLES]}
        for kind, mark, part in rows
        if len(part)
    ]
    lost = frame.loc[frame["change"] == "left", "reason"].fillna("gone")
    reasons = lost.value_counts().sort_index().to_dict()
    html = markup("update", "entries", rows=shown, reasons=reasons)
    return Table("Entries", html, csv="update-entries" if len(frame) else "")


def _other_structures(changes: Changes) -> list[Table]:
    """What entries were and are that stand for another structure now, those with other elements first."""
    frame = changes.entries.to_pandas()
    frame = frame[frame["change"] == "structure"]
    has_others = frame["elements_before"].fillna("") != frame["elements_now"].fillna("")
    frame = pd.concat([frame[has_others], frame[~has_others]])
    rows = [
        {
            "id": row["entry_id"],
            "elements": _sides(row, "elements", str),
            "group": _sides(row, "sg_number", "{:.0f}".format),
            "volume": _sides(row, "volume_angstrom3", "{:,.0f}".format),
        }
        for row in frame.head(_SHOWN).to_dict("records")
    ]
    html = markup("update", "structures", rows=rows)
    lead = words("update", "structures_lead", shown=len(rows), n=len(frame))
    return [Table("Entries that stand for another structure", html, lead, "update-entries")] if rows else []


def _sides(row: dict[Any, Any], name: str, text: Callable[[Any], str]) -> list[str]:
    """What a column of an entry was and is; one text where both are the same."""
    both = [row[f"{name}_{side}"] for side in ("before", "now")]
    return list(dict.fromkeys("–" if pd.isna(value) else text(value) for value in both))


def _with(marks: pd.Series[Any], mark: str) -> pd.Series[bool]:
    """Which entries of lists of marks have a mark."""
    return marks.map(lambda of_entry: mark in of_entry).astype(bool)


def _subsets(
    pairs: dict[str, tuple[PriorBundle, PriorBundle]],
    changes: Changes | None,
    found: dict[str, tuple[PriorVerdict, ...]],
) -> Table:
    rows = []
    for name in pairs:
        rows.append(
            {
                "name": name,
                "change": None if changes is None else changes.subsets.get(name),
                "moved": {
                    verdict: [quantity(v.prior) for v in found[name] if v.verdict == verdict]
                    for verdict in ("large", "real", "new", "gone")
                },
            }
        )
    return Table("Subsets", markup("update", "subsets", rows=rows))


def _rows(of: PriorVerdict) -> list[_Row]:
    """The quantity that decided the verdict, and the leading one of the prior where that is another."""
    name, look = quantity(of.prior), _LOOKS[of.verdict]
    is_large = of.verdict == "large" and of.drawn_otherwise is not None
    share = f"{100 * (of.drawn_otherwise or 0.0):.0f} % of all draws" if is_large else ""
    if of.move is None:
        return [_Row(name, "", of.verdict, share, look)]
    decisive = of.decisive or of.move
    what = quantity(decisive.name)
    if decisive.name == of.move.name:
        return [_row(decisive, of.needed, _Row(name, "" if what == name else what, of.verdict, share, look))]
    limit = sampling(of.move, of.needed)
    is_beyond = of.move.exceeds and (limit is None or abs(of.move.change) > limit)
    alone = ("beyond sampling", "moved") if is_beyond else ("within sampling error", "good")
    return [
        _row(decisive, of.needed, _Row(name, f"decided by: {what}", of.verdict, share, look)),
        _row(
            of.move,
            of.needed,
            _Row(name, f"drawn from: {quantity(of.move.name)}", alone[0], "this quantity alone", alone[1]),
        ),
    ]


def _row(move: Move, needed: float, of_prior: _Row) -> _Row:
    """A row with the numbers of a quantity."""
    otherwise, limit = drawn_otherwise(move), sampling(move, needed)
    return replace(
        of_prior,
        before=_value(move.a, move),
        now=_value(move.b, move),
        shift="–" if move.shift is None else _minus(f"{move.shift:+.3g}{_unit(move)}"),
        interval=_interval(move),
        moved_by=_distance(abs(move.change), move),
        by_sampling="" if limit is None else _distance(limit, move),
        too_few=move.kind == "shares" and limit == 1.0,
        otherwise="–" if otherwise is None else f"{100 * otherwise:.1f} %",
        means=meaning(move) if of_prior.look == "moved" else "",
    )


def _tally(found: list[Verdict]) -> dict[str, int]:
    """How many priors both bundles have, how many of these moved, and how many only one of them has."""
    one_sided = {verdict: found.count(verdict) for verdict in ("new", "gone")}
    large = found.count("large")
    compared = len(found) - sum(one_sided.values())
    return (
        {"compared": compared, "moved": large + found.count("real"), "large": large, **one_sided}
        if found
        else {}
    )


def _distance(size: float, move: Move) -> str:
    """How far a quantity moved, or is moved by sampling, in its own measure."""
    return f"{100 * size:.1f} %" if move.kind == "shares" else _minus(f"{size:.3g}{_unit(move)}")


def _value(value: float | None, move: Move) -> str:
    """A number, or the median of a distribution, with its unit; shares are many numbers and have none."""
    return "–" if value is None else _minus(f"{value:.4g}{_unit(move)}")


def _unit(move: Move) -> str:
    return {None: "", "1": "", "°": "°", "degree": "°"}.get(move.unit, f" {move.unit}")


def _interval(move: Move) -> str:
    """The 95 % interval of the shift; shares have none, since each of them shifts by itself."""
    low, high = move.shift_low, move.shift_high
    return "" if low is None or high is None else _minus(f"({low:.3g} to {high:.3g})")


def _minus(text: str) -> str:
    return text.replace("-", "−")
