"""A verdict on each prior of a comparison: sampling explains its move, or it is real, or it is large.

A prior holds several quantities, of which one in twenty exceeds its own 95 % noise by chance. A move of the
prior is therefore called real only where one of its m quantities exceeds the noise that chance reaches in 5
% / m of cases (Bonferroni; for the normal law, by which noise is scaled). It is large where moreover a tenth
of the draws come out otherwise. By one quantity that is its KS distance, or the total variation of its
shares. Quantities of a part of a prior, such as one element, count by the share of that part in the draws:
over parts of one kind the sum is taken, and in each part the quantity that moved furthest.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final, Literal

from pydantic import Field
from scipy.special import ndtri

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.kinds.cell import FAMILIES
from xtalpriors.priors.tell.compare import Comparison, Move

__all__ = ["LARGE", "PriorVerdict", "Verdict", "drawn_otherwise", "sampling", "verdicts"]

Verdict = Literal["within sampling error", "real", "large", "new", "gone"]

LARGE: Final = 0.1
"""Share of the draws that come out otherwise from which on a move is called large."""

LEADING: Final[dict[str, tuple[str, ...]]] = {
    "cell_volume": ("cell_volume",),
    "axis_ratio": ("axis_ratio.longest_over_middle", "axis_ratio.middle_over_shortest"),
    "monoclinic_angle": ("monoclinic_angle.declared.beta", "monoclinic_angle.least_oblique.beta"),
    "triclinic_skew": ("triclinic_skew.s1", "triclinic_skew.s2", "triclinic_skew.s3"),
    "elements": ("elements.general.per_site", "elements.special.per_site"),
    "special_positions": ("special_positions.number_occupied",),
    "displacement": ("displacement.mean", "displacement.deviation"),
    "packing": ("packing", "packing.atoms_per_cell"),
    "hydrogen": ("hydrogen",),
    "space_groups": ("space_groups.numbers", "space_groups.settings"),
    "diffraction": ("diffraction.d_min", "diffraction.completeness"),
    "cell": tuple(f"cell.families.{family}.variables.longest" for family in FAMILIES),
}
"""What the generator draws from, by prior. Shown is the first quantity that both bundles have, of the part
that is drawn from most; of a prior that is not named here, it is the first of all its quantities."""


class PriorVerdict(Frozen):
    """What became of one prior between two bundles."""

    prior: str
    verdict: Verdict
    drawn_otherwise: float | None = Field(
        description="Share of the draws that come out otherwise, by the quantities that moved; null of others"
    )
    move: Move | None = Field(description="The leading quantity; null where only one bundle has the prior")
    needed: float = Field(
        default=1.0, description="What the noise of a quantity is multiplied by, since the prior has many"
    )
    decisive: Move | None = Field(
        description="Of a large move the quantity that changes most draws; of a real one that which is "
        "furthest beyond its noise"
    )


def verdicts(comparison: Comparison) -> tuple[PriorVerdict, ...]:
    """A verdict on each prior that either bundle has, in the order of the bundle."""
    of_prior: dict[str, list[Move]] = {}
    for move in comparison.moves:
        of_prior.setdefault(move.name.partition(".")[0], []).append(move)
    found = [_verdict(prior, moves, comparison.parts) for prior, moves in of_prior.items()]
    sides: tuple[tuple[Verdict, tuple[str, ...]], ...] = (
        ("gone", comparison.only_in_a),
        ("new", comparison.only_in_b),
    )
    for verdict, names in sides:
        found += [
            PriorVerdict(prior=name, verdict=verdict, drawn_otherwise=None, move=None, decisive=None)
            for name in names
        ]
    return tuple(found)


def drawn_otherwise(move: Move) -> float | None:
    """Share of the draws from one quantity that come out otherwise; null for a parameter."""
    return move.ks_d if move.kind == "distribution" else move.change if move.kind == "shares" else None


def sampling(move: Move, needed: float) -> float | None:
    """What sampling makes of the change of a quantity in 5 % of cases, in its measure; null where unknown.

    `needed` is that of the prior's verdict. A total variation of shares cannot exceed 1.
    """
    if move.noise is None:
        return None
    return min(1.0, needed * move.noise) if move.kind == "shares" else needed * move.noise


def _verdict(prior: str, moves: list[Move], parts: dict[str, float]) -> PriorVerdict:
    needed = float(ndtri(1 - 0.025 / len(moves)) / ndtri(0.975))
    beyond = [move for move in moves if _times(move) > needed]
    by_name = {move.name: move for move in moves}
    leading = [by_name[name] for name in LEADING.get(prior, ()) if name in by_name] or moves

    def used(move: Move) -> float:
        """Share of the part that the move is of in the draws from the prior."""
        return parts.get(_part(move), 1.0)

    share = _share(beyond, parts)
    is_large = share >= LARGE
    changes = max(beyond, key=lambda move: used(move) * (drawn_otherwise(move) or 0.0), default=None)
    return PriorVerdict(
        prior=prior,
        verdict="large" if is_large else "real" if beyond else "within sampling error",
        drawn_otherwise=share if beyond else None,
        move=max(leading, key=used),
        needed=needed,
        decisive=changes if is_large else max(beyond, key=_times, default=None),
    )


def _part(move: Move) -> str:
    """`cell.families.cubic` of `cell.families.cubic.variables.longest`: the part that it is of, if it is."""
    return ".".join(move.name.split(".")[:3])


def _share(beyond: list[Move], parts: dict[str, float]) -> float:
    """Share of the draws from a prior that come out otherwise, by the quantities that moved."""
    furthest: dict[str, float] = {}
    for move in beyond:
        part = name if (name := _part(move)) in parts else ""
        furthest[part] = max(furthest.get(part, 0.0), drawn_otherwise(move) or 0.0)
    of_kind: dict[str, float] = defaultdict(float)
    for part, share in furthest.items():
        of_kind[part.rpartition(".")[0]] += parts.get(part, 1.0) * share
    return max(of_kind.values(), default=0.0)


def _times(move: Move) -> float:
    """Size of a move in units of its noise; infinite where there is no noise to explain it."""
    if not move.exceeds:
        return 0.0
    return abs(move.change) / move.noise if move.noise else float("inf")
