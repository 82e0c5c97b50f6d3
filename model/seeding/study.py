"""Runs a study: phases every crystal without seeds and from every set of seeds, and writes what came out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import cell_volumes
from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.generator.config import space_group_of
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.charge_flipping.trials import normalised, phase_by_charge_flipping
from xtalpriors.model.measured.powder_overlap import powder_intensities
from xtalpriors.model.scoring.diffraction import keyed_rng
from xtalpriors.model.seeding.crystals import crystals_of_volume
from xtalpriors.model.seeding.network_seeds import SeedingNetwork, rows_of_network
from xtalpriors.model.seeding.real_crystals import RealCrystals
from xtalpriors.model.seeding.rows import ARTIFICIAL, NO_SEEDS, ROWS_NAME, TRUE_PHASES, StudyRows
from xtalpriors.model.seeding.seeded_flipping import extend_seeds
from xtalpriors.model.seeding.seeds import order_of_seeds, seed_phasors
from xtalpriors.model.seeding.settings import EXACT, StudySettings
from xtalpriors.progress import Progress, silent

__all__ = ["agreement_with_truth", "powder_like", "run_study"]


@dataclass(frozen=True, slots=True)
class _Case:
    """Crystals of one source, group, volume and resolution, under one overlap: columns of the rows."""

    source: str
    space_group: str
    volume_class_angstrom3: float
    d_min_angstrom: float
    overlap_degree: float


def run_study(
    settings: StudySettings,
    output: Path,
    *,
    real: Sequence[RealCrystals] = (),
    networks: Sequence[SeedingNetwork] = (),
    progress: Progress = silent,
) -> list[dict[str, Any]]:
    """Phase all crystals of a study; the rows that came of it.

    Parameters
    ----------
    settings
        What is tried.
    output
        Folder; it gets `seeding.parquet`, which is written after every group, volume and resolution. A study
        that was stopped goes on.
    real
        Real crystals beside the artificial ones.
    networks
        Networks whose most confident phases are seeds too.
    progress
        Opens a progress bar.

    Raises
    ------
    UsageError
        The folder holds another study, or the generator cannot make the structures.
    """
    common = settings.model_dump(
        mode="json", include={"structures", "fractions", "bins", "noise", "wavelength_angstrom", "seed"}
    )
    kept = StudyRows(output / ROWS_NAME, common)
    cases = list(_cases(settings, [ARTIFICIAL, *(one.name for one in real)]))
    sources = {one.name: one for one in real}
    with progress("seeding", len(cases), "case") as advance:
        for case in cases:
            missing = [
                n for n in networks if n.fits(case.space_group) and not kept.has(**asdict(case), seeds=n.name)
            ]
            has_truth = kept.has(**asdict(case))
            if missing or not has_truth:
                crystals = _crystals(case, settings, sources)
                rows = [
                    row
                    for name, crystal in crystals
                    for row in _rows(case, name, crystal, settings, missing, truth=not has_truth)
                ]
                kept.add(rows)
            advance(1, note=f"{case.source}, {case.space_group}, {case.volume_class_angstrom3:g} Å³")
    return kept.rows


def _cases(settings: StudySettings, sources: Iterable[str]) -> Iterator[_Case]:
    for source in sources:
        for volume in settings.volumes_angstrom3:
            for symbol in settings.space_groups:
                for d_min in settings.d_min_angstrom:
                    for width in settings.overlap_degree:
                        yield _Case(source, space_group_of(symbol).hm or symbol, volume, d_min, width)


def _crystals(
    case: _Case, settings: StudySettings, real: dict[str, RealCrystals]
) -> Iterator[tuple[str, KnownCrystal]]:
    if case.source != ARTIFICIAL:
        yield from real[case.source].of_case(
            case.space_group, case.volume_class_angstrom3, case.d_min_angstrom, settings.structures
        )
        return
    made = crystals_of_volume(
        case.space_group, case.volume_class_angstrom3, settings.structures, case.d_min_angstrom, settings.seed
    )
    yield from ((str(i), crystal) for i, crystal in enumerate(made))


def _rows(
    case: _Case,
    name: str,
    crystal: KnownCrystal,
    settings: StudySettings,
    networks: Sequence[SeedingNetwork],
    *,
    truth: bool,
) -> list[dict[str, Any]]:
    """Rows of one crystal."""
    key = f"{case.source} {case.space_group} {case.volume_class_angstrom3:g} {name}"
    given, overlapped = powder_like(
        crystal,
        case.overlap_degree,
        settings.wavelength_angstrom,
        settings.noise,
        keyed_rng(key, settings.seed, "noise"),
    )
    about = {
        **asdict(case),
        "crystal": name,
        "volume_angstrom3": float(cell_volumes(np.array([crystal.cell]))[0]),
        "overlapped": overlapped,
    }
    rows: list[dict[str, Any]] = []
    if truth:
        rng = keyed_rng(key, settings.seed, "flipping")
        found = phase_by_charge_flipping(given.grid, given.amplitudes, given.cell, rng=rng)
        rows.append({"seeds": NO_SEEDS, "r": _r(crystal, found.f)[0]})
        rows += _rows_of_truth(crystal, given, settings, keyed_rng(key, settings.seed, "seeds"))
    for network in networks:
        rng = keyed_rng(key, settings.seed, network.name)
        rows += rows_of_network(network, crystal, given, settings.fractions, rng)
    empty = dict.fromkeys(("fraction", "bins", "n_seeds", "seed_error_degree"))
    return [{**about, **empty, **row} for row in rows]


def _rows_of_truth(
    crystal: KnownCrystal, given: KnownCrystal, settings: StudySettings, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """From true phases. The seeds fix origin and hand, so that r is that of the map as it stands."""
    order = order_of_seeds(normalised(given.grid, given.amplitudes, given.cell), rng)
    tried = [(fraction, bins) for fraction in settings.fractions for bins in settings.bins]
    if not tried or not len(order):
        return []
    seeds = torch.stack(
        [seed_phasors(given.grid, crystal.f, order, f, None if b == EXACT else b) for f, b in tried]
    )
    # centric phases are not binned: with an inversion centre all bins give the same seeds
    different, which = torch.unique(torch.view_as_real(seeds), dim=0, return_inverse=True)
    f = extend_seeds(given.grid, given.amplitudes, given.cell, torch.view_as_complex(different))[which]
    scores = agreement_with_truth(f, crystal.f)
    errors = _errors(seeds, crystal.f)
    return [
        {
            "seeds": TRUE_PHASES,
            "fraction": fraction,
            "bins": bins,
            "n_seeds": int((seeds[i] != 0).sum()),
            "seed_error_degree": float(errors[i]),
            "r": float(scores[i]),
        }
        for i, (fraction, bins) in enumerate(tried)
    ]


def _r(crystal: KnownCrystal, f: Tensor) -> list[float]:
    """r of trials whose origin and hand are their own."""
    r: list[float] = map_correlation(crystal.grid, f, crystal.f, crystal.amplitudes).double().tolist()
    return r


def agreement_with_truth(f: Tensor, true: Tensor) -> F64:
    """Σ|F|² cos(φ − φ_true) / Σ|F|² of structure factors (T, U) as they stand: no origin is fitted, (T,)."""
    found, answer = f.to(torch.complex128), true.to(torch.complex128)
    phasor = torch.where(found.abs() > 0, found / found.abs().clamp(min=1e-300), torch.zeros_like(found))
    across = (phasor * answer.conj()).real * answer.abs()
    r: F64 = (across.sum(dim=1) / answer.abs().square().sum()).numpy()
    return r


def _errors(seeds: Tensor, true: Tensor) -> F64:
    """Mean |φ − φ_true| of the seeds of each set in degrees, (T,); NaN without seeds."""
    turn = torch.angle(seeds.to(torch.complex128) * true.conj().to(torch.complex128)).abs()
    taken = seeds != 0
    mean = (turn * taken).sum(dim=1) / taken.sum(dim=1)
    degrees: F64 = mean.numpy() * (180.0 / math.pi)
    return degrees


def powder_like(
    crystal: KnownCrystal,
    width_degree: float,
    wavelength_angstrom: float,
    noise: float,
    rng: np.random.Generator,
) -> tuple[KnownCrystal, float]:
    """The crystal with amplitudes as of a powder (`measured.powder_overlap`), and the share that overlaps.

    A negative intensity becomes an amplitude that is small and not 0, which would mean not measured.
    """
    if width_degree == 0 and noise == 0:
        return crystal, 0.0
    true = crystal.amplitudes.double().numpy()
    found = powder_intensities(
        true**2,
        s_squared(crystal.grid.hkl, [crystal.cell])[0],
        crystal.grid.multiplicity,
        width_degree=width_degree,
        wavelength_angstrom=wavelength_angstrom,
        noise=noise,
        rng=rng,
    )
    least = 1e-4 * float((true**2).mean())
    amplitudes = torch.from_numpy(np.sqrt(np.maximum(found.intensity, least))).float()
    return replace(crystal, amplitudes=amplitudes), found.overlapped
