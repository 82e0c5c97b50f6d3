"""How well a structure was measured: the resolution and the reflections that are missing, by index."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig, random_digest
from xtalpriors.generator.kernels.random import WORDS, fill_words, new_stream, seek, stream_key, uniform
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["Choice", "Measurement"]

Choice = float | tuple[float, float] | Literal["bundle"]
"""A fixed value, a uniform range, or the bundle's `diffraction` prior."""


class Measurement:
    """Draws d_min, completeness and the missing reflections of structure i, a pure function of (run, i).

    Its random numbers are apart from those that made the structure: settings here change no structure.

    Parameters
    ----------
    bundle, config, seed
        The run.
    orbits
        For each reflection (m,) the number of its set of equivalents, from 0: they are missing together.
    d_min_angstrom, completeness
        See `StructureStream`.
    """

    def __init__(
        self,
        bundle: PriorBundle,
        config: GeneratorConfig,
        seed: int,
        orbits: I64,
        d_min_angstrom: Choice,
        completeness: Choice,
    ) -> None:
        self._d_min = _Quantity(bundle, "d_min", d_min_angstrom, highest=np.inf)
        self._completeness = _Quantity(bundle, "completeness", completeness, highest=1.0)
        self.description = [str(d_min_angstrom), str(completeness)]
        self._key = stream_key(random_digest(bundle, config), f"{config.digest} diffraction", seed)
        self._orbits = orbits
        self._complete = self._completeness.fixed == 1.0

    def draw(self, index: I64) -> tuple[F64, F64, Bool | None]:
        """d_min (n,) in Å, completeness (n,), and which reflections are kept (n, m); None: all."""
        stream = new_stream(self._key)
        shares = np.empty((len(index), 2))
        _two_shares(stream, index, shares)
        d_min, completeness = self._d_min.at(shares[:, 0]), self._completeness.at(shares[:, 1])
        if self._complete:
            return d_min, completeness, None
        kept = np.empty((len(index), len(self._orbits)), dtype=bool)
        kept_orbits = np.empty(int(self._orbits.max()) + 1, dtype=bool)
        _keep(np.uint64(self._key), index, completeness, self._orbits, kept_orbits, kept)
        return d_min, completeness, kept


class _Quantity:
    """One quantity as a function of a uniform random number."""

    def __init__(self, bundle: PriorBundle, name: str, choice: Choice, highest: float) -> None:
        self.fixed: float | None = None
        self._range: tuple[float, float] | None = None
        self._distribution: Any = None
        self._name, self._highest = name, highest
        if choice == "bundle":
            prior = getattr(bundle.require("diffraction", f"give a number or a range for {name}"), name)
            if prior is None:
                raise XtalpriorsError(
                    f"{bundle.called} has no {name} in its diffraction prior: give the stream "
                    "a number or a range."
                )
            self._distribution = prior.distribution()
        elif isinstance(choice, tuple):
            self._range = choice
        else:
            try:
                self.fixed = float(choice)
            except (TypeError, ValueError):
                raise UsageError(
                    f"{name} is {choice!r}: give a number, a pair of numbers, or 'bundle'."
                ) from None
        for value in self._range or ((self.fixed,) if self.fixed is not None else ()):
            if not 0.0 < value <= highest or not np.isfinite(value):
                raise UsageError(
                    f"{name} is {value}; it must be positive{' and at most 1' if highest == 1 else ''}."
                )
        if self._range and self._range[0] > self._range[1]:
            raise UsageError(
                f"{name} from {self._range[0]} to {self._range[1]}: the smaller number comes first."
            )

    def at(self, share: F64) -> F64:
        """Value (n,) at each share (n,) of the distribution."""
        if self.fixed is not None:
            return np.full(len(share), self.fixed)
        if self._range is not None:
            low, high = self._range
            return low + share * (high - low)
        values: F64 = np.minimum(
            np.asarray(self._distribution.quantile(share), dtype=np.float64), self._highest
        )
        return values


@kernel(nogil=True)
def _two_shares(stream: Any, index: Any, shares: Any) -> None:
    for i in range(len(index)):
        seek(stream, index[i])
        shares[i, 0] = uniform(stream)
        shares[i, 1] = uniform(stream)


@kernel(nogil=True)
def _keep(key: Any, index: Any, completeness: Any, orbits: Any, kept_orbits: Any, kept: Any) -> None:
    """Keep each set of equivalent reflections with the probability `completeness`.

    The draws are words of the counters (block, 1, index): those of `_two_shares` have 0 in the second place.
    """
    words = np.empty(WORDS, np.uint32)
    mask, shift, one = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(1)
    for i in range(len(index)):
        if completeness[i] >= 1.0:
            kept[i, :] = True
            continue
        limit = np.uint32(completeness[i] * 4294967296.0)
        counter = np.uint64(index[i])
        for first in range(0, len(kept_orbits), WORDS):
            block = np.uint64(first // 4)  # four words a block
            fill_words(words, block, one, counter & mask, counter >> shift, key & mask, key >> shift)
            for orbit in range(first, min(first + WORDS, len(kept_orbits))):
                kept_orbits[orbit] = words[orbit - first] < limit
        for p in range(len(orbits)):
            kept[i, p] = kept_orbits[orbits[p]]
