"""Merges measured reflections and brings them to the network's setting and list, one amplitude for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import s_squared, sphere_limit, systematic_absences
from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.subgroups import describe_in_p21c
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.measured.check_cell import check_cell
from xtalpriors.model.measured.merging import Merged, laue_rotations, merge_equivalents
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.network.reflections import Reflections

__all__ = ["InNetworkSetting", "MergedReflections", "merge", "network_setting", "unique_of_group"]

_P21C = 14


@dataclass(frozen=True, slots=True)
class InNetworkSetting:
    """How a crystal is described for a network.

    Attributes
    ----------
    group
        The crystal's own group, in its own setting.
    change
        Change of coordinates from there to the network's.
    cell
        The cell in the network's setting; null where none is known.
    """

    group: SpaceGroup
    change: ChangeOfBasis
    cell: UnitCell | None


@dataclass(frozen=True, slots=True, eq=False)
class MergedReflections:
    """Amplitudes in the order of a network's list, and what did not get there.

    Attributes
    ----------
    amplitudes
        |F| on the scale of the data, (N,); 0 where nothing was measured.
    measured
        (N,).
    n_observations
        Observations that were merged.
    outside
        Reflections (m, 3), in the network's setting, outside its box: one for each set of equivalents.
    n_beyond_d_min
        Unique reflections in the box that were left out for d < d_min.
    n_repeated
        Observations of reflections that were measured more than once, equivalents included.
    r_int
        Σ | |F|² − ⟨|F|²⟩ | / Σ |F|² over them; None where no reflection was measured more than once.
    """

    amplitudes: F64
    measured: Bool
    n_observations: int
    outside: I64
    n_beyond_d_min: int
    n_repeated: int = 0
    r_int: float | None = None


def network_setting(
    reflections: Reflections, group: SpaceGroup, cell: UnitCell | None = None
) -> InNetworkSetting:
    """The way from a crystal's setting to the network's.

    A network for P2₁/c takes no. 14 in any setting and the supergroups that have a P2₁/c subgroup on their
    cell, in the least-oblique cell; any other network takes its own group in any setting.

    Parameters
    ----------
    reflections
        Of the network.
    group
        The crystal's own.
    cell
        The crystal's; null: unknown, and then the group must be in the network's setting.

    Raises
    ------
    UsageError
        The group cannot be described in the network's, the cell is needed for that and not known, or the cell
        does not have the symmetry of the group.
    """
    target = reflections.group
    identity = ChangeOfBasis.from_triplet("x,y,z")
    if cell is None and group.operators == target.operators:
        return InNetworkSetting(group, identity, None)
    name, wanted = group.hm or f"no. {group.number}", target.hm or f"no. {target.number}"
    if not group.centrosymmetric:
        raise UsageError(
            f"the structure is in {name}, which is not centrosymmetric: its phases are not only 0 and π, and "
            f"the network knows no others (it is for {wanted})."
        )
    if cell is None:
        raise UsageError(
            f"the reflections are in {name}, the network is for {wanted}: the cell is needed to bring them "
            "there. Give the cell."
        )
    check_cell(group, cell)
    if target.operators == SpaceGroup.from_number(_P21C).operators:
        described = describe_in_p21c(group, cell)
        if described is not None:
            return InNetworkSetting(group, described.change, described.cell)
    elif group.number == target.number:
        change = target.to_reference.inverse().after(group.to_reference)
        return InNetworkSetting(group, change, change.cell(cell))
    raise UsageError(
        f"the structure is in {name} (no. {group.number}); the network is for {wanted}"
        + (" and its supergroups on the same cell (C2/c, Pbca, Pnma, …)" if target.number == _P21C else "")
        + ". Use a network trained for its group."
    )


def merge(
    observations: Observations,
    reflections: Reflections,
    setting: InNetworkSetting,
    *,
    d_min_angstrom: float | None = None,
) -> MergedReflections:
    """Merge equivalents and put them into the order of the list.

    Equivalents are those of the crystal's own Laue class, merged as `merge_equivalents` does. Where the mean
    |F|² is negative |F| is 0 and the reflection is not given to the network, like one below 0.01 e.

    Raises
    ------
    XtalpriorsError
        Nothing is left for the network.
    """
    unique = unique_of_group(observations, setting.group)
    hkl, intensity = unique.hkl, unique.intensity
    moved = _all_in_setting(hkl, setting)
    place = {tuple(h): i for i, h in enumerate(reflections.hkl.tolist())}
    listed = np.zeros(len(reflections.hkl))
    seen = np.zeros(len(reflections.hkl), dtype=bool)
    inside = np.zeros(len(hkl), dtype=bool)
    for source, h in zip(moved.source.tolist(), moved.hkl.tolist(), strict=True):
        at = place.get(tuple(h))
        if at is not None:
            listed[at], seen[at], inside[source] = intensity[source], True, True
    amplitudes = np.sqrt(np.clip(listed, 0.0, None))
    measured = seen & ~reflections.absent & (amplitudes > 0)
    beyond = np.zeros_like(measured)
    if d_min_angstrom is not None and setting.cell is not None:
        s2 = s_squared(reflections.hkl, [setting.cell.parameters])[0]
        beyond = measured & (s2 > sphere_limit(d_min_angstrom))
        measured &= ~beyond
    outside = moved.first[~inside]
    if not measured.any():
        raise XtalpriorsError(
            f"{observations.source}: of {counted(len(observations.hkl), 'observation')} none is a "
            f"reflection that the network takes (|F| > 0, h² + k² + l² ≤ {reflections.max_index**2}"
            + (f", d ≥ {d_min_angstrom:g} Å" if d_min_angstrom is not None else "")
            + f"; {counted(len(outside), 'unique reflection')} outside{_some(outside)})."
        )
    return MergedReflections(
        np.where(measured, amplitudes, 0.0),
        measured,
        len(observations.hkl),
        outside,
        int((beyond & reflections.unique).sum()),
        unique.n_repeated,
        unique.r_int,
    )


def _some(hkl: I64) -> str:
    """The first three reflections as text, for an error message."""
    if len(hkl) == 0:
        return ""
    return ": " + ", ".join(" ".join(map(str, h)) for h in hkl[:3].tolist()) + (", …" if len(hkl) > 3 else "")


def unique_of_group(observations: Observations, group: SpaceGroup) -> Merged:
    """One reflection for each set of equivalents, without 0 0 0 and absences."""
    keep = observations.hkl.any(axis=1) & ~systematic_absences(group, observations.hkl)
    intensity, sigma = observations.intensity[keep], observations.sigma[keep]
    return merge_equivalents(observations.hkl[keep], intensity, sigma, laue_rotations(group.rotations))


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """Equivalents in the network's setting."""

    hkl: I64
    source: I64
    first: I64
    """(m, 3): each set's own representative in that setting."""


def _all_in_setting(hkl: I64, setting: InNetworkSetting) -> _Moved:
    """All equivalents, Friedel mates included, with the number of their set."""
    rotations = np.unique(setting.group.rotations.reshape(-1, 9), axis=0).reshape(-1, 3, 3)
    both = np.concatenate([rotations, -rotations])
    images = np.einsum("mi,nij->mnj", hkl, both).reshape(-1, 3)
    moved = np.asarray(setting.change.miller_indices(images))
    source = np.repeat(np.arange(len(hkl)), len(both))
    whole = np.abs(moved - np.rint(moved)).max(axis=1, initial=0.0) < 1e-6
    integers = np.rint(moved).astype(np.int64)
    first = np.rint(np.asarray(setting.change.miller_indices(hkl.astype(np.float64)))).astype(np.int64)
    return _Moved(integers[whole], source[whole], first.reshape(-1, 3))
