"""The first section after an update: what came, went and changed since the last release, and each prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from xtalpriors.mining.subsets.snapshot import MARKS, Changes, changes_since
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.tell.compare import Move, compare
from xtalpriors.priors.tell.meaning import meaning
from xtalpriors.priors.tell.release import Release
from xtalpriors.priors.tell.verdict import PriorVerdict, Verdict, drawn_otherwise, verdicts
from xtalpriors.reports.html import markup, words
from xtalpriors.reports.inputs import Inputs, definition_of
from xtalpriors.reports.quantities import quantity
from xtalpriors.reports.section import Section, Table

__all__ = ["update_section"]

_EXAMPLES = 3
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
    otherwise: str = "–"
    by_sampling: str = ""
    means: str = ""


def update_section(inputs: Inputs, release: Release) -> tuple[Section, dict[str, pd.DataFrame]]:
    """The section, and the frames of its CSV files by name."""
    earlier = release.bundles()
    pairs = {name: (earlier[name], now) for name, now in inputs.bundles.items() if name in earlier}
    changes = _changes(inputs, release, pairs)
    frames: dict[str, pd.DataFrame] = {}
    tables: list[Table] = []
    if changes is not None:
        frames["update-entries"] = changes.entries.to_pandas()
        tables.append(_entries(changes))
    found: dict[str, tuple[PriorVerdict, ...]] = {}
    of_priors: list[Table] = []
    for name, (before, now) in pairs.items():
        shared = changes.shared(name, now.created_from.parent) if changes else 0.0
        comparison = compare(before, now, shared=shared)
        found[name] = verdicts(comparison)
        frames[f"update-{name}"] = pd.DataFrame([move.model_dump() for move in comparison.moves])
        of_priors.append(_priors(name, before, found[name], shared, explained=not of_priors))
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


def _changes(
    inputs: Inputs, release: Release, pairs: dict[str, tuple[PriorBundle, PriorBundle]]
) -> Changes | None:
    if release.entries is None:
        return None
    definitions = [definition_of(now) for _, now in pairs.values()]
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
    lost = frame.loc[frame["change"] == "left", "reason"].fillna("the file is gone")
    reasons = lost.value_counts().sort_index().to_dict()
    html = markup("update", "entries", rows=shown, reasons=reasons)
    return Table("Entries", html, csv="update-entries" if len(frame) else "")


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
                "large": [quantity(v.prior) for v in found[name] if v.verdict == "large"],
                "real": [quantity(v.prior) for v in found[name] if v.verdict == "real"],
                "one_sided": [
                    f"{quantity(v.prior)} ({v.verdict})" for v in found[name] if v.verdict in ("new", "gone")
                ],
            }
        )
    return Table("Subsets", markup("update", "subsets", rows=rows))


def _priors(
    name: str, before: PriorBundle, found: tuple[PriorVerdict, ...], shared: float, explained: bool
) -> Table:
    html = markup("update", "priors", rows=[row for verdict in found for row in _rows(verdict)])
    lead = words("update", "priors_lead", shared=shared, digest=before.priors_digest, explained=explained)
    return Table(f"Priors of {name}", html, lead, f"update-{name}")


def _rows(of: PriorVerdict) -> list[_Row]:
    """The leading quantity of a prior, and the one that decided the verdict where that is another."""
    name, look = quantity(of.prior), _LOOKS[of.verdict]
    is_large = of.verdict == "large" and of.drawn_otherwise is not None
    share = f"{100 * (of.drawn_otherwise or 0.0):.0f} % of all draws" if is_large else ""
    if of.move is None:
        return [_Row(name, "", of.verdict, share, look)]
    shown = [(quantity(of.move.name), of.move)]
    if of.decisive is not None and of.decisive.name != of.move.name:
        shown.append((f"moved most: {quantity(of.decisive.name)}", of.decisive))
    return [
        _Row(
            prior=name,
            quantity="" if what == name else what,
            verdict=of.verdict,
            share=share,
            look=look,
            before=_value(move.a, move),
            now=_value(move.b, move),
            shift="–" if move.shift is None else f"{move.shift:+.3g}{_unit(move)}".replace("-", "−"),
            interval=_interval(move),
            otherwise="–" if (otherwise := drawn_otherwise(move)) is None else f"{100 * otherwise:.1f} %",
            by_sampling=_by_sampling(move, of.needed),
            means="" if of.decisive is None else meaning(move) or "this quantity is within sampling error",
        )
        for what, move in shown
    ]


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


def _value(value: float | None, move: Move) -> str:
    """A number, or the median of a distribution, with its unit; shares are many numbers and have none."""
    return "–" if value is None else f"{value:.4g}{_unit(move)}".replace("-", "−")


def _unit(move: Move) -> str:
    return {None: "", "1": "", "°": "°", "degree": "°"}.get(move.unit, f" {move.unit}")


def _interval(move: Move) -> str:
    """The 95 % interval of the shift; shares have none, since each of them shifts by itself."""
    low, high = move.shift_low, move.shift_high
    return "" if low is None or high is None else f"({low:.3g} to {high:.3g})".replace("-", "−")


def _by_sampling(move: Move, needed: float) -> str:
    """How much is drawn otherwise by sampling alone, where that is more than what is."""
    noise = needed * ((move.ks_noise if move.kind == "distribution" else move.noise) or 0.0)
    share = drawn_otherwise(move)
    return f"sampling: {100 * noise:.1f} %" if share is not None and noise > share else ""
