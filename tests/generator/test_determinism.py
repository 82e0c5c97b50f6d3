"""Structure i is a pure function of (priors, configuration, seed, i)."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from generator_bundles import full_bundle, generate_range
from hypothesis import given, settings
from hypothesis import strategies as st
from philox import words

from xtalpriors.generator.config import ALGORITHM, configure
from xtalpriors.generator.generate import Generator, generate
from xtalpriors.generator.kernels.random import stream_key
from xtalpriors.generator.measurement import Measurement
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.priors.bundle import published_bundle

WHOLE = 400


@pytest.fixture(scope="module")
def whole() -> StructureBatch:
    return generate(published_bundle(), configure(), 7, 0, WHOLE)


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, WHOLE), max_size=6))
def test_any_split_into_batches_gives_the_same_structures(whole: StructureBatch, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), WHOLE]
    generator = Generator(published_bundle(), configure(), 7)
    parts = [generator.batch(a, b - a) for a, b in pairwise(edges)]
    assert StructureBatch.concatenate(parts).equals(whole)


def test_order_and_threads_change_nothing(whole: StructureBatch) -> None:
    generator = Generator(published_bundle(), configure(), 7)
    backwards = [generator.batch(k, 100) for k in (300, 200, 100, 0)][::-1]
    assert StructureBatch.concatenate(backwards).equals(whole)
    for workers in (2, 3):
        parts = list(generator.batches(0, WHOLE, size=37, workers=workers))
        assert StructureBatch.concatenate(parts).equals(whole)


def test_worker_processes_give_the_same_structures(whole: StructureBatch) -> None:
    ranges = [(250, 150), (0, 120), (120, 130)]
    # not multiprocessing.Pool, which waits for ever for a worker that dies
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = dict(zip(ranges, pool.map(generate_range, ranges, timeout=300), strict=True))
    assert StructureBatch.concatenate([parts[r] for r in sorted(ranges)]).equals(whole)


def test_hash_seed_and_a_fresh_process_change_nothing(whole: StructureBatch) -> None:
    code = (
        "from xtalpriors.generator.generate import generate;"
        "from xtalpriors.generator.config import configure;"
        "from xtalpriors.priors.bundle import published_bundle;"
        "b = generate(published_bundle(), configure(), 7, 390, 10);"
        "print(b.fract.tobytes().hex(), b.cell.tobytes().hex(), b.u_iso.tobytes().hex())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "3"},
    )
    tail = generate(published_bundle(), configure(), 7, 390, 10)
    assert result.stdout.split() == [a.tobytes().hex() for a in (tail.fract, tail.cell, tail.u_iso)]
    assert np.array_equal(tail.cell, whole.cell[390:])


def test_priors_configuration_and_seed_each_change_the_structures(whole: StructureBatch) -> None:
    others = [
        generate(published_bundle(), configure(), 8, 0, 10),
        generate(full_bundle(), configure(), 7, 0, 10),
        generate(published_bundle(), configure(redraws=99), 7, 0, 10),
    ]
    cells = [whole.cell[:10], *(b.cell for b in others)]
    for i, a in enumerate(cells):
        for b in cells[i + 1 :]:
            assert not np.isclose(a[:, :3], b[:, :3]).all(axis=1).any()


def test_two_spellings_of_a_group_are_one_configuration() -> None:
    a, b = configure(space_group="P21/c"), configure(space_group="-P 2ybc")
    assert a.digest == b.digest
    assert a.digest != configure(space_group="P 21/n").digest
    assert generate(published_bundle(), a, 1, 0, 5).equals(generate(published_bundle(), b, 1, 0, 5))


def test_large_structures_make_the_arrays_grow() -> None:
    config = configure(
        space_group="P 1",
        filling="equal-atoms",
        length_min_angstrom=24,
        length_max_angstrom=26,
        cell="axes-uniform",
    )
    batch = generate(published_bundle(), config, 1, 0, 6)
    assert batch.n_atoms.min() > 500
    alone = [generate(published_bundle(), config, 1, k, 1) for k in range(6)]
    assert StructureBatch.concatenate(alone).equals(batch)


@pytest.mark.parametrize(
    ("options", "recorded"),
    [
        ({}, "3c8940f45aa3cb2f"),
        ({"filling": "random", "cell": "axes-uniform"}, "e2e295fd9c405f60"),
        ({"space_group": "I 41/a m d:2", "cell": "volume-uniform"}, "2ae7d7f63e647bea"),
    ],
)
def test_structures_are_those_of_algorithm_2(options: dict[str, str], recorded: str) -> None:
    """The same bits on every machine and in every version, until `ALGORITHM` is raised."""
    assert ALGORITHM == 2
    batch = generate(published_bundle(), configure(**options), 1, 0, 200)
    arrays = (batch.offsets, batch.cell, batch.counters, batch.element, batch.fract, batch.u_iso)
    content = b"".join(x.tobytes() for x in (*arrays, batch.multiplicity, batch.site))
    assert hashlib.sha256(content).hexdigest().startswith(recorded)


INDICES = [0, 5, 2**32 - 1, 2**32, 2**32 + 5, 2**40 + 1, 2**63 - 3]


def test_indices_beyond_32_bits() -> None:
    """The first random number of a cubic cell is its length: it is that of Philox at the whole index."""
    far = generate(published_bundle(), configure(), 7, 2**40, 3)
    assert far.index.tolist() == [2**40, 2**40 + 1, 2**40 + 2]
    assert not np.array_equal(far.cell[0], generate(published_bundle(), configure(), 7, 0, 1).cell[0])
    options = {"length_min_angstrom": 10, "length_max_angstrom": 20, "scale_with_order": False}
    config = configure(space_group="P 2 3", cell="axes-uniform", filling="equal-atoms", **options)
    key = stream_key(published_bundle().priors_digest, config.digest, 7)
    for index in INDICES:
        batch = generate(published_bundle(), config, 7, index, 1)
        assert batch.index.tolist() == [index] and batch.counter("redraws").tolist() == [0]
        share = (words(key, index, 1)[0] + 0.5) / 2**32
        assert batch.cell[0] == pytest.approx([10 + 10 * share] * 3 + [90] * 3, rel=1e-14)


@pytest.mark.parametrize("index", INDICES)
def test_measurement_of_an_index(index: int) -> None:
    """d_min and the missing reflections come from words of their own, of Philox at the whole index."""
    config, orbits = configure(), np.arange(200) // 2
    measurement = Measurement(published_bundle(), config, 7, orbits, (1.0, 2.0), 0.7)
    key = stream_key(published_bundle().priors_digest, f"{config.digest} diffraction", 7)
    d_min, completeness, kept = measurement.draw(np.array([3, index]))
    share = (words(key, index, 1)[0] + 0.5) / 2**32
    assert d_min[1] == pytest.approx(1 + share, rel=1e-15) and completeness.tolist() == [0.7, 0.7]
    expected = [word < int(0.7 * 2**32) for word in words(key, index, 100, second=1)]
    assert kept is not None and kept[1].tolist() == [expected[orbit] for orbit in orbits]
