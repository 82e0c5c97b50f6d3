"""Phases for one crystal by the dual-space network, in the crystal's own group and setting."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch

from xtalpriors.arrays import C64, F64, I64
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import s_squared, sphere_limit
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError, naming
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, known_crystal
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.phasing import grid_of_crystal, listed, phase_with_network
from xtalpriors.model.dual_space.weights import DualSpaceCard
from xtalpriors.model.measured.check_cell import check_cell
from xtalpriors.model.measured.check_observations import Doubt, check_observations
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.prediction.merge_reflections import unique_of_group
from xtalpriors.model.prediction.prediction_input import (
    FINEST_PHASED_ANGSTROM,
    assumed_note,
    check_d_min,
    known_group,
    merging_notes,
)
from xtalpriors.model.prediction.read_crystal import CrystalFile

__all__ = ["GroupPrediction", "predict_in_group"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupPrediction:
    """Phases of every reflection within the resolution.

    Attributes
    ----------
    name, source
        What the crystal is called in the output, and where the amplitudes come from, in words.
    group, cell
        As in the file.
    hkl
        Unique reflections, none of them absent, (U, 3).
    amplitudes
        |F| on the scale of the data, (U,); 0 where nothing was measured.
    phasors
        Length: how certain the network is of the phase, 0 to 1. Direction: the phase. complex64 (U,).
    expected_r
        What the network's critic expects of r.
    doubt
        Null, or why the network should not be believed here.
    r
        Map correlation with the known structure, from its best origin and hand; null where none is known.
    notes
        What a user should know of the data.
    """

    name: str
    source: str
    group: SpaceGroup
    cell: UnitCell
    hkl: I64
    amplitudes: F64
    phasors: C64
    expected_r: float
    doubt: str | None
    r: float | None
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """What was phased, and how far to trust it, as lines."""
        given = int((self.amplitudes > 0).sum())
        group = self.group.hm or f"no. {self.group.number}"
        lines = [
            f"{self.name}: {counted(given, 'unique amplitude')} phased ({self.source})",
            f"  with a phase too: {counted(len(self.hkl) - given, 'reflection')} to d_min without an "
            "amplitude",
            f"  in {group}; the network expects r = {self.expected_r:.2f}",
            *(f"  {note}" for note in self.notes),
        ]
        if self.doubt is not None:
            lines.append(f"  doubtful: {self.doubt}")
        if self.r is not None:
            lines.append(f"  r with the known structure, of the {counted(given, 'amplitude')}: {self.r:.4f}")
        return "\n".join(lines)


def predict_in_group(
    network: DualSpaceNetwork,
    card: DualSpaceCard,
    found: CrystalFile,
    *,
    d_min_angstrom: float | None = FINEST_PHASED_ANGSTROM,
    accept: Collection[Doubt] = (),
) -> GroupPrediction:
    """Phase a crystal: trials of charge flipping, a step of the network on the best three, and a choice.

    Parameters
    ----------
    network, card
        Of `dual_space.weights`.
    found
        The crystal; its group and cell must be known.
    d_min_angstrom
        Reflections with a smaller d are left out; null keeps all.
    accept
        Doubts about measured reflections that are no error; see `check_observations`.

    Raises
    ------
    XtalpriorsError, UsageError
        Nothing that can be phased; no group or cell; reflections that contradict the group or the format; a
        group or cell that the network does not take. The message says why.
    """
    check_d_min(d_min_angstrom)
    group = known_group(found.where, found.group)
    if found.cell is None:
        raise UsageError(
            f"{found.where}: the cell is not known. Give it, as in --cell '7.1 9.2 6.5 90 105 90'."
        )
    with naming(found.where):
        check_cell(group, found.cell)
    known: KnownCrystal | None
    notes: tuple[str, ...] = ()
    if found.observations is None:
        d_min = d_min_angstrom or FINEST_PHASED_ANGSTROM
        structure = found.structure(group)
        known = known_crystal(group, structure.crystals, d_min)
        notes = assumed_note(int(structure.n_u_assumed[0]))
        hkl, amplitudes = known.grid.hkl, known.amplitudes
        source = f"{found.where}, amplitudes calculated from the structure"
    else:
        hkl, amplitudes, notes = _measured(found.observations, group, found.cell, d_min_angstrom, accept)
        d_min = float(s_squared(hkl, [found.cell.parameters])[0].max() ** -0.5)
        known, unknown = _known(found, group, d_min)
        source, notes = found.observations.source, (*notes, *unknown)
    with naming(found.where):
        grid = grid_of_crystal(group, found.cell.parameters, d_min)
    given = listed(grid, hkl, amplitudes)
    phased = phase_with_network(
        network,
        grid,
        found.cell.parameters,
        given,
        trained=card.config.crystals,
        rng=np.random.default_rng(0),
    )
    f = phased.f[phased.best]
    every = grid.reflections.hkl
    within = s_squared(every, [found.cell.parameters])[0] <= sphere_limit(d_min)
    r = None
    if known is not None:
        true = torch.complex(*(listed(grid, known.grid.hkl, part) for part in (known.f.real, known.f.imag)))
        r = float(map_correlation(grid.reflections, f[None], true, given)[0])
    return GroupPrediction(
        found.name,
        source,
        group,
        found.cell,
        every[within],
        given.double().numpy()[within],
        f.numpy()[within],
        float(phased.expected_r[phased.best]),
        phased.doubt,
        r,
        notes,
    )


def _known(
    found: CrystalFile, group: SpaceGroup, d_min_angstrom: float
) -> tuple[KnownCrystal | None, tuple[str, ...]]:
    """Structure factors of the structure beside measured reflections; None, and why, where it has none."""
    if found.rows is None:
        return None, ()
    try:
        return known_crystal(group, found.structure(group).crystals, d_min_angstrom), ()
    except XtalpriorsError as error:
        return None, (f"no r: {error}".rstrip("."),)


def _measured(
    observations: Observations,
    group: SpaceGroup,
    cell: UnitCell,
    d_min_angstrom: float | None,
    accept: Collection[Doubt],
) -> tuple[I64, torch.Tensor, tuple[str, ...]]:
    """Reflections tested, merged and cut: hkl (m, 3), |F| (m,), and what to know of them."""
    said = check_observations(observations, group, accept)
    merged = unique_of_group(observations, group)
    s2 = s_squared(merged.hkl, [cell.parameters])[0]
    limit = np.inf if d_min_angstrom is None else sphere_limit(d_min_angstrom)
    within = s2 <= limit
    amplitudes = np.sqrt(np.clip(merged.intensity, 0.0, None))
    used = within & (amplitudes > 0)
    if not used.any():
        raise XtalpriorsError(
            f"{observations.source}: of {counted(len(observations.hkl), 'observation')} none can be used "
            "(|F| > 0" + (f", d ≥ {d_min_angstrom:g} Å" if d_min_angstrom is not None else "") + ")."
        )
    notes = merging_notes(int((~within).sum()), merged.r_int, merged.n_repeated)
    return merged.hkl[used], torch.from_numpy(amplitudes[used]), (*said, *notes)
