"""Generate structures by index: the same structure for an index whatever the batch, the order or the
worker."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice

import numpy as np

from xtalpriors.arrays import F64, I32, I64
from xtalpriors.counted import counted
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig, random_digest
from xtalpriors.generator.counters import COUNTERS, DROPPED, N_TARGET, REDRAWS
from xtalpriors.generator.kernels.fill import Workspace
from xtalpriors.generator.kernels.packed import packed_range
from xtalpriors.generator.kernels.random import new_stream, stream_key
from xtalpriors.generator.kernels.range import AtomArrays, generate_range, new_workspace
from xtalpriors.generator.kernels.rigid_bodies import new_bodies
from xtalpriors.generator.specification.specify import Specification, specify
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["Generator", "generate", "make_generator"]

CHUNK = 4096
"""Structures per call of the kernel, and per batch handed to a worker."""

MOST_PACKED, MOST_PACKED_ATOMS = 16, 400
"""Molecules and atoms of an asymmetric unit of packed molecules at most."""

_MEMORY = threading.local()
"""Arrays that a thread's kernels write to, kept from call to call: fresh pages cost a third of the time."""


def _output(room: int) -> AtomArrays:
    """Arrays for at least `room` atoms."""
    have: AtomArrays | None = getattr(_MEMORY, "output", None)
    if have is None or len(have.fract) < room:
        have = AtomArrays(
            np.empty((room, 3)),
            np.empty(room, np.uint8),
            np.empty(room, np.float32),
            np.empty(room, np.int16),
            np.empty(room, np.uint8),
        )
        _MEMORY.output = have
    return have


def _workspace(n_atoms: int, order: int) -> Workspace:
    """The kernel's workspace for structures of at least `n_atoms` atoms."""
    key: tuple[int, int] = getattr(_MEMORY, "workspace_for", (0, 0))
    if key[0] < n_atoms or key[1] != order:
        _MEMORY.workspace, _MEMORY.workspace_for = new_workspace(n_atoms, order), (n_atoms, order)
    have: Workspace = _MEMORY.workspace
    return have


class Generator:
    """A strategy, checked and compiled; call `batch` for any range of indices.

    Parameters
    ----------
    bundle, config
        Priors and strategy.
    seed
        Any integer ≥ 0. Structure i is a pure function of (priors_digest, config.digest, seed, i).

    Raises
    ------
    UsageError, XtalpriorsError
        As `specification.specify`.
    """

    def __init__(self, bundle: PriorBundle, config: GeneratorConfig, seed: int) -> None:
        if seed < 0:
            raise UsageError(f"the seed is {seed}; it must not be negative.")
        self.specification: Specification = specify(bundle, config)
        self.config = config
        self.seed = seed
        self.priors_digest = bundle.priors_digest
        self.key = stream_key(random_digest(bundle, config), config.digest, seed)
        self._atoms_per_structure, self._atoms_at_once = 24.0, 128

    def batch(self, start: int, count: int) -> StructureBatch:
        """Structures `start` … `start + count − 1`.

        Raises
        ------
        UsageError
            A negative start or count.
        XtalpriorsError
            A structure that stays empty after all redraws.
        """
        if start < 0 or count < 0 or start + count > 2**63 - 1:
            raise UsageError(
                f"start is {start} and count {count}; neither may be negative, and the last index is "
                f"{2**63 - 1}."
            )
        parts: list[StructureBatch] = []
        done = 0
        while done < count or not parts:
            part = self._chunk(start + done, min(CHUNK, count - done))
            done += len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else StructureBatch.concatenate(parts)

    def _chunk(self, start: int, count: int) -> StructureBatch:
        """As many structures as fit the arrays, at least one."""
        needed = np.zeros(1, np.int64)
        offsets, cells = np.zeros(count + 1, np.int64), np.empty((count, 6))
        counters = np.zeros((count, len(COUNTERS)), np.int32)
        room = int(count * self._atoms_per_structure * 1.1) + 64
        while True:
            out = _output(room)
            done = self._draw(start, count, offsets, cells, counters, out, needed)
            if done > 0 or count == 0:
                break
            room = max(room, int(needed[0]))
            self._atoms_at_once = max(self._atoms_at_once, int(1.5 * needed[0]))
        n = int(offsets[done])
        if done:
            self._atoms_per_structure = max(self._atoms_per_structure, n / done)
        index = np.arange(start, start + done)
        self._refuse_empty(np.diff(offsets[: done + 1]), index, counters[:done])
        return StructureBatch(
            self.specification.group,
            index,
            offsets[: done + 1],
            cells[:done],
            counters[:done],
            **{name: values[:n].copy() for name, values in out._asdict().items()},
        )

    def _draw(
        self, start: int, count: int, offsets: I64, cells: F64, counters: I32, out: AtomArrays, needed: I64
    ) -> int:
        """Call the kernel of the filling; see `generate_range`."""
        spec, packed, group, _ = self.specification
        stream = new_stream(self.key)
        if packed is not None:
            bodies = new_bodies(MOST_PACKED_ATOMS, MOST_PACKED, group.order)
            return int(
                packed_range(
                    spec, packed, stream, bodies, start, count, offsets, cells, counters, out, needed
                )
            )
        workspace = _workspace(self._atoms_at_once, group.order)
        return int(
            generate_range(spec, stream, workspace, start, count, offsets, cells, counters, out, needed)
        )

    def _refuse_empty(self, n_atoms: I64, index: I64, counters: I32) -> None:
        if not np.any(n_atoms == 0):
            return
        k, group = int(np.argmin(n_atoms)), self.specification.group
        if self.config.filling == "packed":
            raise XtalpriorsError(
                f"structure {int(index[k])} could not be packed in "
                f"{counted(counters[k, REDRAWS], 'placement')}: lower "
                "packed_coefficient_min or packed_contact_factor, allow longer cells (length_max_angstrom) "
                "or smaller molecules, or raise packed_tries or redraws."
            )
        again = f"structure {int(index[k])} was empty {counted(self.config.redraws + 1, 'time')} in a row: "
        wanted, dropped = (int(counters[k, column]) for column in (N_TARGET, DROPPED))
        if dropped:
            rule = "gap_window" if self.config.filling == "molecules" else "min_distance_angstrom"
            raise XtalpriorsError(
                f"{again}at the last, {dropped:,} of {counted(wanted, 'non-hydrogen atom')} found no room, "
                f"and below a share of min_placed_share = {self.config.min_placed_share:g} a structure is "
                f"empty. Lower {rule} or min_placed_share, or raise the tries or redraws."
            )
        raise XtalpriorsError(
            f"{again}with these volumes eq. 18 leaves no atom for the {counted(group.order, 'operator')} of "
            f"{group.hm or group.number}. Use larger cells (length_max_angstrom, or scale_with_order), "
            "occupy special positions, or raise redraws."
        )

    def batches(
        self, start: int, count: int, *, size: int = CHUNK, workers: int = 1
    ) -> Iterator[StructureBatch]:
        """Batches of `size` in the order of their indices, made by `workers` threads (the kernels hold no
        lock)."""
        ranges = ((start + k, min(size, count - k)) for k in range(0, count, size))
        if workers == 1:
            yield from (self.batch(*r) for r in ranges)
            return
        with ThreadPoolExecutor(workers) as pool:
            waiting = [pool.submit(self.batch, *r) for r in islice(ranges, 2 * workers)]
            try:
                while waiting:
                    done = waiting.pop(0).result()
                    if (r := next(ranges, None)) is not None:
                        waiting.append(pool.submit(self.batch, *r))
                    yield done
            finally:
                for future in waiting:
                    future.cancel()


def make_generator(bundle: PriorBundle, config: GeneratorConfig, seed: int) -> Generator:
    """`Generator(bundle, config, seed)`, made once and kept for later calls with the same arguments."""
    return _cached(_Key(bundle), config, seed)


class _Key:
    """A bundle as a cache key, by its digest."""

    __slots__ = ("bundle",)

    def __init__(self, bundle: PriorBundle) -> None:
        self.bundle = bundle

    def __hash__(self) -> int:
        return hash(self.bundle.priors_digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.bundle.priors_digest == self.bundle.priors_digest


@lru_cache(maxsize=32)
def _cached(key: _Key, config: GeneratorConfig, seed: int) -> Generator:
    return Generator(key.bundle, config, seed)


def generate(
    bundle: PriorBundle,
    config: GeneratorConfig | None = None,
    seed: int = 0,
    start: int = 0,
    count: int = 1,
    *,
    workers: int | None = 1,
) -> StructureBatch:
    """Structures `start` … `start + count − 1` of a run.

    Parameters
    ----------
    bundle
        Priors (`priors.bundle.load_bundle`, `published_bundle`).
    config
        Strategy; null is the paper's best one, log-normal volumes and artificial molecules in P2₁/c.
    seed, start, count
        Structure i depends on (priors_digest, config.digest, seed, i) only.
    workers
        Threads; null: one per core.

    Returns
    -------
    StructureBatch
        `count` structures.
    """
    generator = make_generator(bundle, config or GeneratorConfig(), seed)
    threads = workers or os.cpu_count() or 1
    if threads == 1 or count <= CHUNK:
        return generator.batch(start, count)
    size = min(CHUNK, math.ceil(count / threads))
    return StructureBatch.concatenate(list(generator.batches(start, count, size=size, workers=threads)))
