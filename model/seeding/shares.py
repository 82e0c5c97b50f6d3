"""What a study comes to: the share of solved structures of every combination, with N and 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from xtalpriors.counted import counted
from xtalpriors.generator.config import space_group_of
from xtalpriors.model.network.card import SOLVED
from xtalpriors.model.seeding.rows import NO_SEEDS, TRUE_PHASES, of_truth
from xtalpriors.model.seeding.settings import EXACT
from xtalpriors.priors.distributions.estimate import wilson_interval

__all__ = ["BY", "bins_text", "share_text", "side_by_side", "solved_shares", "with_centre"]

BY: Final = ("source", "space_group", "volume_class_angstrom3", "d_min_angstrom", "overlap_degree")
"""What crystals have in common."""
_NUMBERS: Final = ("n", "solved", "low", "high", "median_r", "seed_error_degree", "overlapped")
_SEEDS: Final = ("seeds", "fraction", "bins")
WITH, WITHOUT = "centrosymmetric", "non-centrosymmetric"


def solved_shares(rows: Sequence[Mapping[str, Any]], by: Sequence[str] = BY) -> pd.DataFrame:
    """A row for each combination of `by` and of seeds.

    Parameters
    ----------
    rows
        Of a study; those whose r is null (a network that could not take the crystal) do not count.
    by
        Columns of the rows; the fewer they are, the more crystals are taken together.

    Returns
    -------
    Frame with `n`, `solved` (share with r ≥ 0.8), `low` and `high` (Wilson's 95 % interval), `median_r`,
    `seed_error_degree` (mean over the crystals) and `overlapped` (mean share of the reflections).
    """
    frame = pd.DataFrame(list(rows))
    found = []
    if len(frame):
        known = frame[frame["r"].notna()]
        for key, part in known.groupby([*by, *_SEEDS], dropna=False, sort=True):
            found.append(dict(zip([*by, *_SEEDS], key, strict=True)) | _share(part))
    return pd.DataFrame(
        found,
        columns=[*by, *_SEEDS, *_NUMBERS],
    )


def _share(part: pd.DataFrame) -> dict[str, Any]:
    # 0.8 but for the rounding of a sum counts
    solved = int((part["r"] >= SOLVED - 1e-9).sum())
    low, high = wilson_interval(solved, len(part))
    return {
        "n": len(part),
        "solved": solved / len(part),
        "low": low,
        "high": high,
        "median_r": float(part["r"].median()),
        "seed_error_degree": float(part["seed_error_degree"].mean()),
        "overlapped": float(part["overlapped"].mean()),
    }


def with_centre(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a column `centre`: whether the space group has an inversion centre, in words.

    Phases of a centrosymmetric group are 0 or π, and binning leaves them as they are. Rows that differ in the
    number of bins alone are one there, which counts as exact.
    """
    centre = {s: space_group_of(s).centrosymmetric for s in {str(row["space_group"]) for row in rows}}
    result: list[dict[str, Any]] = []
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        if not centre[str(row["space_group"])]:
            result.append({**row, "centre": WITHOUT})
            continue
        key = (*(row[name] for name in BY), row["crystal"], row["seeds"], row["fraction"])
        if key not in seen:
            seen.add(key)
            result.append({**row, "bins": None if row["bins"] is None else EXACT, "centre": WITH})
    return result


def bins_text(bins: float) -> str:
    """A number of bins in words: `exact`, or `4 values`."""
    return "exact" if bins == EXACT else counted(bins, "value")


def share_text(share: Mapping[Any, Any]) -> str:
    """A share with its interval: `.81 [.57, .93]`."""
    return "{} [{}, {}]".format(*(_two_digits(share[name]) for name in ("solved", "low", "high")))


def _two_digits(value: float) -> str:
    text = f"{value:.2f}"
    return text.removeprefix("0") if value < 1 and text.startswith("0") else text


def side_by_side(rows: Sequence[Mapping[str, Any]], by: Sequence[str] = BY) -> pd.DataFrame:
    """Shares as texts: a line for each combination of `by` and bins, a column for each fraction of seeds.

    Only seeds of true phases and no seeds at all; networks have `solved_shares`.
    """
    shares = solved_shares(of_truth(rows), by)
    lines = []
    fractions = sorted(set(shares["fraction"].dropna()))
    for key, part in shares.groupby(list(by), sort=False):
        without = part[part["seeds"] == NO_SEEDS]
        start = dict(zip(by, key, strict=True)) | {"n": int(part["n"].max())}
        none = share_text(without.iloc[0].to_dict()) if len(without) else "–"
        seeded = part[part["seeds"] == TRUE_PHASES]
        every = sorted(set(seeded["bins"]), key=lambda b: -b if b else -float("inf"))
        for bins in every or [None]:
            line = {**start, "phases": "–" if bins is None else bins_text(bins), "no seeds": none}
            for fraction in fractions:
                cell = seeded[(seeded["bins"] == bins) & (seeded["fraction"] == fraction)]
                line[_percent(fraction)] = share_text(cell.iloc[0].to_dict()) if len(cell) else "–"
            lines.append(line)
    heads = [*by, "n", "phases", "no seeds", *map(_percent, fractions)]
    return pd.DataFrame(lines, columns=heads)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"
