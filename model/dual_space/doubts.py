"""Why the network should not be believed on some data, whatever it expects of its own answer."""

from __future__ import annotations

from typing import Final

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.charge_flipping.choice import FEWEST_AMPLITUDES
from xtalpriors.model.dual_space.config import CrystalConfig
from xtalpriors.model.dual_space.inputs import Known

__all__ = ["doubt_of"]

INNER: Final = 0.15
"""Reflections within this share of (1/d_min)² count as of low resolution."""
LEAST_INNER: Final = 0.65
"""Share of these that must be measured."""


def doubt_of(known: Known, trained: CrystalConfig) -> str | None:
    """The first of these doubts about the data of a crystal, as a clause; null where there is none.

    The data end at another resolution than those of training, all amplitudes are nearly equal, reflections of
    low resolution are missing, there are few amplitudes, or the space group was not trained.

    Parameters
    ----------
    known
        Data of one crystal (of several, those of the first).
    trained
        The crystals that the network was trained on, of its card.
    """
    d_min, f = float(known.crystal[0, 0]), known.f[0]
    low, high = trained.d_min_angstrom
    if not 0.95 * low <= d_min <= 1.05 * high:
        return f"the data end at {d_min:.2f} Å and the network was trained with data to {low:g}–{high:g} Å"
    measured = f[f > 0]
    if float(measured.std(correction=0)) < 0.05 * float(measured.mean()):
        return "all amplitudes are nearly equal, as those of no crystal are"
    inner = known.reflection[0, :, 2] < INNER
    if float((inner & (f > 0)).sum()) < LEAST_INNER * float(inner.sum()):
        return "more than a third of the reflections of low resolution, the strongest ones, are missing"
    if len(measured) < FEWEST_AMPLITUDES:
        return f"{len(measured)} amplitudes are too few to tell right phases from wrong ones"
    group = known.transform.grid.group
    if group.number not in {SpaceGroup.from_hm(symbol).number for symbol in trained.space_groups}:
        name = group.hm or f"no. {group.number}"
        return f"the network was not trained in {name}: the r that it expects may be far too high"
    return None
