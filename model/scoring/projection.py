"""Fig. 7: slabs through the predicted density along the flattest part of a structure, with its true atoms.

The slab is 0.5 Å thick, summed in steps of 0.05 Å, as in Melgalvis & Reķis 2026. The plane is that of an atom
and its two nearest neighbours which has the most atoms within half the slab.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import torch
from scipy.ndimage import map_coordinates

from xtalpriors.arrays import F64, U8, Bool
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.symmetry.origins import permissible_origins
from xtalpriors.model.network.card import SOLVED
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.density import DensityMaps, good_size
from xtalpriors.model.scoring.evaluation_table import Evaluation, diffraction_of
from xtalpriors.model.scoring.structures import ExperimentalStructures
from xtalpriors.outputs import FileKind
from xtalpriors.write_tables import parquet_with, write_parquet

__all__ = ["HALF_WIDTH_ANGSTROM", "MAPS", "PROJECTIONS", "STEP_ANGSTROM", "projections", "write_projections"]

_METADATA_KEY = b"xtalpriors-projections"
MAPS: Final = FileKind("the maps of an evaluation", parquet_with(_METADATA_KEY))

HALF_WIDTH_ANGSTROM: Final = 5.0
STEP_ANGSTROM: Final = 0.2
SLAB_ANGSTROM: Final = 0.5
SLAB_STEP_ANGSTROM: Final = 0.05
_GRID_ANGSTROM = 0.3
_NEAR_ANGSTROM = 0.25
_CANDIDATES = 40

PROJECTIONS: Final = pa.schema(
    [
        pa.field("entry_id", pa.string(), nullable=False),
        pa.field("r", pa.float64(), nullable=False),
        pa.field("volume_angstrom3", pa.float64(), nullable=False),
        pa.field("step_angstrom", pa.float64(), nullable=False),
        pa.field("density", pa.list_(pa.float32()), nullable=False),  # row by row from −y, electrons/Å³
        pa.field(
            "true_density", pa.list_(pa.float32()), nullable=False
        ),  # of the same amplitudes, true phases
        pa.field("atom_element", pa.list_(pa.string()), nullable=False),
        pa.field("atom_x_angstrom", pa.list_(pa.float64()), nullable=False),
        pa.field("atom_y_angstrom", pa.list_(pa.float64()), nullable=False),
    ]
)
"""A row per structure: a square of predicted and one of true density around the origin of the plane, and the
atoms of the slab."""


@dataclass(frozen=True, slots=True)
class _Plane:
    """Origin and three orthonormal axes (rows), Cartesian, Å; the third is normal to the slab."""

    origin: F64
    axes: F64
    count: int


def projections(
    evaluation: Evaluation, structures: ExperimentalStructures, reflections: Reflections, count: int = 4
) -> pa.Table:
    """Rows of `PROJECTIONS`: structures that are solved (r ≥ 0.8), and as many that are not.

    Of each kind those with the most atoms in one plane, among its forty largest cells; r is that of the run
    chosen without the truth. Where one kind has too few, the other fills up.

    Parameters
    ----------
    evaluation
        Of these structures, in this order.
    structures
        What was evaluated.
    reflections
        Of the network.
    count
        How many.
    """
    r = np.array([np.nan if x is None else x for x in evaluation.rows["chosen_r"].to_pylist()])
    volume = structures.volume_angstrom3
    solved = [int(i) for i in np.argsort(-volume, kind="stable") if r[i] >= SOLVED]
    failed = [int(i) for i in np.argsort(-volume, kind="stable") if r[i] < SOLVED]
    n_solved = min(len(solved), max(count - count // 2, count - len(failed)))
    picked: list[int] = []
    planes: dict[int, _Plane] = {}
    for kind, wanted in ((solved, n_solved), (failed, count - n_solved)):
        planes |= {i: _flattest(structures, i) for i in kind[:_CANDIDATES]} if wanted else {}
        picked += sorted(kind[:_CANDIDATES], key=lambda i: (-planes[i].count, i))[:wanted]
    bits = evaluation.rows["chosen_positive"]
    rows = []
    for i in sorted(picked, key=lambda i: -r[i]):
        positive = np.unpackbits(np.frombuffer(bits[i].as_py(), dtype=np.uint8))[: len(reflections.hkl)] > 0
        rows.append(_row(evaluation, structures, reflections, i, positive, planes[i]))
    return pa.Table.from_pylist(rows, schema=PROJECTIONS)


def write_projections(table: pa.Table, evaluation: Evaluation, path: Path) -> None:
    """Write as Parquet, whole or not at all; the metadata is that of the evaluation."""
    text = json.dumps(evaluation.metadata, sort_keys=True, ensure_ascii=False)
    write_parquet(table, PROJECTIONS, path, {_METADATA_KEY: text.encode()}, MAPS)


def _row(
    evaluation: Evaluation,
    structures: ExperimentalStructures,
    reflections: Reflections,
    i: int,
    positive: Bool,
    plane: _Plane,
) -> dict[str, Any]:
    one = structures.subset([i])
    diffraction = diffraction_of(one, reflections, evaluation.protocol)
    cell = UnitCell(*one.crystals.cells[0].tolist())
    amplitudes = diffraction.amplitudes[0]
    shift = _origin(reflections, positive, diffraction.positive[0], amplitudes)
    predicted, true = (
        _slab(reflections, cell, torch.from_numpy(np.where(sign, amplitudes, -amplitudes)), plane, origin)
        for sign, origin in ((positive, shift), (diffraction.positive[0], np.zeros(3)))
    )
    elements, at = _atoms_in_slab(one, plane)
    return {
        "entry_id": one.entry_id[0],
        "r": evaluation.rows["chosen_r"][i].as_py(),
        "volume_angstrom3": cell.volume,
        "step_angstrom": STEP_ANGSTROM,
        "density": np.round(predicted.ravel(), 5).astype(np.float32).tolist(),
        "true_density": np.round(true.ravel(), 5).astype(np.float32).tolist(),
        "atom_element": elements,
        "atom_x_angstrom": np.round(at[:, 0], 4).tolist(),
        "atom_y_angstrom": np.round(at[:, 1], 4).tolist(),
    }


def _origin(
    reflections: Reflections,
    predicted: Bool,
    true: Bool,
    amplitudes: F64,
) -> F64:
    """The permissible origin, of the true description, that the predicted phases refer to."""
    agreement = np.where(predicted == true, 1.0, -1.0) * amplitudes**2 * reflections.counted
    best = int(np.argmax(reflections.origin_signs @ agreement))
    return np.asarray(permissible_origins(reflections.group).shifts[best])


def _slab(reflections: Reflections, cell: UnitCell, f: torch.Tensor, plane: _Plane, shift: F64) -> F64:
    """Mean density of the slab, (n, n), rows along the second axis of the plane."""
    least = 2 * reflections.max_index + 1
    shape = tuple(good_size(max(least, round(x / _GRID_ANGSTROM))) for x in (cell.a, cell.b, cell.c))
    maps = DensityMaps(reflections, (shape[0], shape[1], shape[2]))
    density = (maps(f[None])[0] / cell.volume).numpy()
    n = round(2 * HALF_WIDTH_ANGSTROM / STEP_ANGSTROM) + 1
    across = np.linspace(-HALF_WIDTH_ANGSTROM, HALF_WIDTH_ANGSTROM, n)
    depths = np.linspace(-SLAB_ANGSTROM / 2, SLAB_ANGSTROM / 2, round(SLAB_ANGSTROM / SLAB_STEP_ANGSTROM) + 1)
    y, x = np.meshgrid(across, across, indexing="ij")
    inverse = np.linalg.inv(cell.orthogonalization)
    total = np.zeros((n, n))
    for depth in depths:
        points = plane.origin + np.stack([x, y, np.full_like(x, depth)], axis=-1) @ plane.axes
        # an atom at x of the true description is at x − shift of the predicted one
        fract = points @ inverse.T - shift
        indices = (fract * np.array(density.shape)).reshape(-1, 3).T
        total += map_coordinates(density, indices, order=3, mode="grid-wrap").reshape(n, n)
    result: F64 = total / len(depths)
    return result


def _around(structures: ExperimentalStructures, i: int) -> tuple[U8, F64, F64]:
    """Elements (m,) and Cartesian positions (m, 3) of all non-H atoms of 27 cells, and those of the
    asymmetric unit (k, 3)."""
    c = structures.crystals
    atoms = slice(int(c.offsets[i]), int(c.offsets[i + 1]))
    heavy = c.numbers[atoms] > 1
    numbers, fract = c.numbers[atoms][heavy], c.fract[atoms][heavy]
    group, to_cartesian = structures.group, UnitCell(*c.cells[i].tolist()).orthogonalization.T
    images = group.images(fract)
    images -= np.floor(images)
    shifts = np.array(list(np.ndindex(3, 3, 3))) - 1
    every = (images[None] + shifts[:, None, None]).reshape(-1, 3)
    repeated = np.tile(numbers, len(group.translations) * len(shifts))
    return repeated, every @ to_cartesian, (fract - np.floor(fract)) @ to_cartesian


def _flattest(structures: ExperimentalStructures, i: int) -> _Plane:
    _, every, unit = _around(structures, i)
    best = _Plane(np.zeros(3), np.eye(3), -1)
    for centre in unit:
        offsets = every - centre
        distance = np.linalg.norm(offsets, axis=1)
        near = distance < 0.8 * HALF_WIDTH_ANGSTROM
        bonded = offsets[np.argsort(distance, kind="stable")]
        bonded = bonded[np.linalg.norm(bonded, axis=1) > 0.5][:2]
        if len(bonded) < 2:
            continue
        normal = np.cross(bonded[0], bonded[1])
        if np.linalg.norm(normal) < 0.1:
            continue
        normal /= np.linalg.norm(normal)
        inside = near & (np.abs(offsets @ normal) < _NEAR_ANGSTROM)
        # an atom and its image on a special position count once
        count = len(np.unique(np.round(offsets[inside], 2), axis=0))
        if count > best.count:
            first = bonded[0] / np.linalg.norm(bonded[0])
            axes = np.stack([first, np.cross(normal, first), normal])
            middle = centre + (offsets[inside] @ axes[:2].T).mean(axis=0) @ axes[:2]
            best = _Plane(middle, axes, count)
    return best


def _atoms_in_slab(one: ExperimentalStructures, plane: _Plane) -> tuple[list[str], F64]:
    """Elements and positions (k, 2) in the plane of the true atoms inside the slab and the square."""
    numbers, every, _ = _around(one, 0)
    local = (every - plane.origin) @ plane.axes.T
    inside = (np.abs(local[:, 2]) <= SLAB_ANGSTROM / 2) & (np.abs(local[:, :2]) <= HALF_WIDTH_ANGSTROM).all(
        axis=1
    )
    at, first = np.unique(np.round(local[inside, :2], 2), axis=0, return_index=True)
    return [SYMBOLS[z] for z in numbers[inside][first]], at
