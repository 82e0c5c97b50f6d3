"""An endless stream of diffraction data for training: amplitudes and phases of generated structures.

Batch b of a run holds the structures start + b·batch_size … and is a pure function of (bundle, configuration,
diffraction settings, seed, b). Rank r of R has the batches b ≡ r (mod R), and worker w of W every W-th of
these, which is the order in which `torch.utils.data.DataLoader(stream, batch_size=None, num_workers=W)` asks
for them: the batches and their order are the same for any number of workers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from xtalpriors.arrays import F64
from xtalpriors.counted import counted
from xtalpriors.crystal.scattering.arrays import CrystalArrays
from xtalpriors.crystal.scattering.reciprocal import IndexBox, asymmetric_box, orbit_numbers
from xtalpriors.crystal.scattering.structure_factors import Scale, StructureFactorCalculator
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.buffers import BufferPool
from xtalpriors.generator.config import GeneratorConfig, configure
from xtalpriors.generator.generate import Generator
from xtalpriors.generator.measurement import Measurement
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["StreamBatch", "StructureStream", "crystal_arrays"]


class StreamBatch(NamedTuple):
    """One batch of a stream.

    Attributes
    ----------
    amplitudes
        |F| over the scale, float32 (B, h, k, l); 0 outside the resolution sphere, outside the list of
        reflections, for absences, and for what was left out or is below 0.01 e.
    phases
        Radians, float32 (B, h, k, l): 0 or π in centrosymmetric groups.
    index
        Number of each structure in the run, int64 (B,).
    cell
        a, b, c in Å and α, β, γ in degrees, float64 (B, 6).
    d_min
        Å, float32 (B,).
    completeness
        Probability with which a reflection was kept, float32 (B,).
    scale
        Electrons, float32 (B,): amplitudes × scale = |F|.
    number
        b, the number of the batch in the run.
    """

    amplitudes: torch.Tensor
    phases: torch.Tensor
    index: torch.Tensor
    cell: torch.Tensor
    d_min: torch.Tensor
    completeness: torch.Tensor
    scale: torch.Tensor
    number: int

    def __repr__(self) -> str:
        """What the batch holds, in five lines."""
        given = (self.amplitudes > 0).flatten(1).sum(dim=1).double()
        middle = given.median().item() if len(given) else 0.0
        lines = [
            f"StreamBatch {self.number}: {counted(len(self.index), 'structure')}, index "
            f"{_range(self.index, 0)}",
            f"  amplitudes, phases: float32 {tuple(self.amplitudes.shape)}; above 0: {middle:,.0f} (median)",
            f"  d_min: {_range(self.d_min, 2)} Å, completeness: {_range(self.completeness, 2)}",
            f"  lengths: {_range(self.cell[:, :3], 2)} Å, angles: {_range(self.cell[:, 3:], 1)}°",
            f"  scale: {_range(self.scale, 1)} electrons",
        ]
        return "\n".join(lines)


def _range(values: torch.Tensor, digits: int) -> str:
    """Least and largest of some values, `0.80 … 1.20`."""
    if values.numel() == 0:
        return "none"
    return f"{values.min().item():.{digits}f} … {values.max().item():.{digits}f}"


class StructureStream(IterableDataset[StreamBatch]):  # type: ignore[misc]
    """Batches of amplitudes and phases of generated structures; see the module for their order.

    Parameters
    ----------
    bundle
        Priors.
    config
        Strategy; null is that of `generate`.
    seed
        Any integer ≥ 0.
    start
        Index of the first structure of batch 0.
    count
        Structures in all, the last batch may be smaller; null: endless.
    batch_size
        Structures in a batch.
    max_index
        Reflections have 0 < h² + k² + l² ≤ max_index², in the smallest box that holds all of them.
    d_min_angstrom
        A number, a pair (uniform between), or "bundle" (its `diffraction` prior).
    completeness
        Share of unique reflections that are kept, each by a draw of its own and all its copies in the box
        together: a number in (0, 1], a pair, or "bundle".
    scale
        As `StructureFactorCalculator.amplitudes_and_phases`.
    rank, world_size
        This process's share of the batches.
    """

    def __init__(
        self,
        bundle: PriorBundle,
        config: GeneratorConfig | None = None,
        *,
        seed: int = 0,
        start: int = 0,
        count: int | None = None,
        batch_size: int = 64,
        max_index: int = 10,
        d_min_angstrom: float | tuple[float, float] | Literal["bundle"] = 1.0,
        completeness: float | tuple[float, float] | Literal["bundle"] = 1.0,
        scale: Scale = "maximum",
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("start", start, 0),
            ("count", 1 if count is None else count, 1),
            ("batch_size", batch_size, 1),
            ("max_index", max_index, 1),
            ("world_size", world_size, 1),
        ):
            if value < least:
                raise UsageError(f"The stream's {name} is {value}; it must be at least {least}.")
        if scale not in get_args(Scale):
            raise UsageError(f"The stream's scale is {scale!r}; there are {', '.join(get_args(Scale))}.")
        if not 0 <= rank < world_size:
            raise UsageError(
                f"The stream's rank is {rank}; of {counted(world_size, 'process')} it is 0 … "
                f"{world_size - 1}."
            )
        self.bundle, self.config = bundle, config or configure()
        self.seed, self.start, self.count, self.batch_size = seed, start, count, batch_size
        self.rank, self.world_size = rank, world_size
        self.scale: Scale = scale
        self.max_index = max_index
        self._generator = Generator(bundle, self.config, seed)
        group = self._generator.specification.group
        self.box: IndexBox = asymmetric_box(group, max_index)
        hkl = self.box.miller_indices
        norm = (hkl**2).sum(axis=1)
        wanted = (norm > 0) & (norm <= max_index**2)
        orbits = np.zeros(len(hkl), dtype=np.int64)
        orbits[wanted] = orbit_numbers(group, hkl[wanted])
        self.wanted = wanted.reshape(self.box.shape)
        self.measurement = Measurement(bundle, self.config, seed, orbits, d_min_angstrom, completeness)
        self._calculator = StructureFactorCalculator(group, self.box, self.wanted)
        self._buffers = BufferPool()
        self._next = 0

    def __iter__(self) -> Iterator[StreamBatch]:
        """Batches of this rank (and worker) from where the state says; then the state moves on."""
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        position = self._next + first
        while (batch := self.batch(self.rank + position * self.world_size)) is not None:
            position += step
            if worker is None:
                self._next = position
            yield batch

    def batch_numbers(self) -> Iterator[int]:
        """Numbers of this rank's batches from where the state says, without end."""
        return itertools.count(self.rank + self._next * self.world_size, self.world_size)

    def batch(self, number: int) -> StreamBatch | None:
        """Batch b of the run, whatever the rank; None after the last."""
        first = self.start + number * self.batch_size
        size = self.batch_size
        if self.count is not None:
            size = min(size, self.start + self.count - first)
        if size <= 0:
            return None
        structures = self._generator.batch(first, size)
        d_min, completeness, kept = self.measurement.draw(structures.index)
        out = (self._buffers.take((size, *self.box.shape)), self._buffers.take((size, *self.box.shape)))
        try:
            data = self._calculator.amplitudes_and_phases(
                crystal_arrays(structures), d_min, kept=kept, scale=self.scale, out=out
            )
        except XtalpriorsError as error:
            raise XtalpriorsError(
                f"Batch {number} (structures {first} … {first + size - 1}): {error}"
            ) from error
        return StreamBatch(
            torch.from_numpy(data.amplitudes),
            torch.from_numpy(data.phases),
            torch.from_numpy(structures.index),
            torch.from_numpy(structures.cell),
            torch.from_numpy(d_min.astype(np.float32)),
            torch.from_numpy(completeness.astype(np.float32)),
            torch.from_numpy(data.scale),
            number,
        )

    def state_dict(self, after: StreamBatch | None = None) -> dict[str, Any]:
        """Where this rank's stream stands: continue there with `load_state_dict`.

        Parameters
        ----------
        after
            The last batch that was used. It must be given where a DataLoader with workers reads the stream,
            because workers run ahead; null: the last that this object gave.
        """
        position = self._next if after is None else (after.number - self.rank) // self.world_size + 1
        return {"position": position, **self._identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state; iterate anew after it.

        Raises
        ------
        XtalpriorsError
            The state is another stream's.
        """
        for name, value in self._identity().items():
            if state.get(name) != value:
                raise XtalpriorsError(
                    f"The saved stream had {name} = {state.get(name)!r}, this one has {value!r}: make the "
                    "stream as it was when the state was saved, or start a new run."
                )
        self._next = int(state["position"])

    def _identity(self) -> dict[str, Any]:
        """What must be equal for a state to mean the same."""
        return {
            "priors_digest": self.bundle.priors_digest,
            "config_digest": self.config.digest,
            "measurement": self.measurement.description,
            "seed": self.seed,
            "start": self.start,
            "count": self.count,
            "batch_size": self.batch_size,
            "max_index": self.max_index,
            "scale": self.scale,
            "rank": self.rank,
            "world_size": self.world_size,
        }


def crystal_arrays(structures: StructureBatch) -> CrystalArrays:
    """A batch of generated structures as the input of structure factors."""
    weights: F64 = structures.weight
    return CrystalArrays(
        structures.cell,
        structures.offsets,
        structures.element,
        structures.fract,
        structures.u_iso,
        weights,
    )
