"""A verdict on each prior of a comparison: sampling explains its move, or it is real, or it is large.

A prior holds several quantities, of which one in twenty exceeds its own 95 % noise by chance. A move of the
prior is therefore called real only where one of its m quantities exceeds the noise that chance reaches in 5
% / m of cases (Bonferroni; for the normal law, by which noise is scaled). It is large where moreover a
tenth of the structures would be drawn otherwise: the KS distance of a leading distribution, or the total
variation of leading shares, is 0.1 or more.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field
from scipy.special import ndtri

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.tell.compare import Comparison, Move

__all__ = ["LARGE", "PriorVerdict", "Verdict", "drawn_otherwise", "verdicts"]

Verdict = Literal["within sampling error", "real", "large", "new", "gone"]

LARGE: Final = 0.1
"""Share of the structures that would be drawn otherwise from which a move is called large."""

LEADING: Final[dict[str, tuple[str, ...]]] = {
    "cell_volume": ("cell_volume",),
    "axis_ratio": ("axis_ratio.longest_over_middle", "axis_ratio.middle_over_shortest"),
    "monoclinic_angle": ("monoclinic_angle.declared.beta", "monoclinic_angle.least_oblique.beta"),
    "triclinic_skew": ("triclinic_skew.s1", "triclinic_skew.s2", "triclinic_skew.s3"),
    "elements": ("elements.general.per_site", "elements.special.per_site"),
    "special_positions": (
        "special_positions.groups.14.number_occupied",
        "special_positions.groups.2.number_occupied",
    ),
    "displacement": ("displacement.mean", "displacement.deviation"),
    "packing": ("packing", "packing.atoms_per_cell"),
    "hydrogen": ("hydrogen",),
    "space_groups": ("space_groups.numbers", "space_groups.settings"),
    "diffraction": ("diffraction.d_min", "diffraction.completeness"),
    "cell": tuple(f"cell.families.{family}.variables.longest" for family in ("monoclinic", "triclinic")),
}
"""What the generator draws from, by prior; the first quantity that both bundles have is shown."""


class PriorVerdict(Frozen):
    """What became of one prior between two bundles."""

    prior: str
    verdict: Verdict
    move: Move | None = Field(description="The leading quantity; null where only one bundle has the prior")
    strongest: Move | None = Field(description="The quantity furthest beyond its noise, of a real move")


def verdicts(comparison: Comparison) -> tuple[PriorVerdict, ...]:
    """A verdict on each prior that either bundle has, in the order of the bundle."""
    of_prior: dict[str, list[Move]] = {}
    for move in comparison.moves:
        of_prior.setdefault(move.name.partition(".")[0], []).append(move)
    found = [_verdict(prior, moves) for prior, moves in of_prior.items()]
    sides: tuple[tuple[Verdict, tuple[str, ...]], ...] = (
        ("gone", comparison.only_in_a),
        ("new", comparison.only_in_b),
    )
    for verdict, names in sides:
        found += [PriorVerdict(prior=name, verdict=verdict, move=None, strongest=None) for name in names]
    return tuple(found)


def drawn_otherwise(move: Move) -> float | None:
    """Share of the structures for which another value would be drawn; null for a parameter."""
    return move.ks_d if move.kind == "distribution" else move.change if move.kind == "shares" else None


def _verdict(prior: str, moves: list[Move]) -> PriorVerdict:
    needed = float(ndtri(1 - 0.025 / len(moves)) / ndtri(0.975))
    beyond = [move for move in moves if _times(move) > needed]
    by_name = {move.name: move for move in moves}
    leading = [by_name[name] for name in LEADING.get(prior, ()) if name in by_name] or moves[:1]
    is_large = any((drawn_otherwise(move) or 0.0) >= LARGE for move in leading if move in beyond)
    return PriorVerdict(
        prior=prior,
        verdict="large" if is_large else "real" if beyond else "within sampling error",
        move=leading[0],
        strongest=max(beyond, key=_times, default=None),
    )


def _times(move: Move) -> float:
    """Size of a move in units of its noise; infinite where there is no noise to explain it."""
    if not move.exceeds:
        return 0.0
    return abs(move.change) / move.noise if move.noise else float("inf")
