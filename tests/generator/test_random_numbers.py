"""The counter-based generator against the published known answers, and the arithmetic that replaces libm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from philox import philox, words
from scipy import stats

from xtalpriors.generator.kernels.arithmetic import arctan, cube_root, draw, draw_between, table_probability
from xtalpriors.generator.kernels.fill import direction
from xtalpriors.generator.kernels.random import (
    WORDS,
    bounded,
    fill_words,
    new_stream,
    seek,
    stream_key,
    uniform,
)

# Random123 1.14, tests/kat_vectors: philox4x32 10 (counter, key, answer)
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, answer) -> None:
    buffer = np.zeros(WORDS, np.uint32)
    fill_words(buffer, *(np.uint64(x) for x in (*counter, *key)))
    assert tuple(int(buffer[16 * w]) for w in range(4)) == answer
    assert philox(counter, key) == answer


def test_the_sixteen_blocks_of_a_refill_are_consecutive_counters() -> None:
    whole, one = np.zeros(WORDS, np.uint32), np.zeros(WORDS, np.uint32)
    zero, key = np.uint64(0), (np.uint64(7), np.uint64(11))
    fill_words(whole, np.uint64(5), zero, np.uint64(3), zero, *key)
    for block in range(16):
        fill_words(one, np.uint64(5 + block), zero, np.uint64(3), zero, *key)
        assert [whole[16 * w + block] for w in range(4)] == [one[16 * w] for w in range(4)]


def _numbers(key: int, index: int, n: int) -> list[float]:
    stream = new_stream(key)
    seek(stream, index)
    return [uniform(stream) for _ in range(n)]


def test_a_stream_does_not_depend_on_what_was_drawn_before() -> None:
    stream = new_stream(99)
    seek(stream, 4)
    for _ in range(1000):
        uniform(stream)
    seek(stream, 123_456_789_012)
    assert [uniform(stream) for _ in range(200)] == _numbers(99, 123_456_789_012, 200)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 2))
def test_a_stream_is_philox_of_the_whole_index_and_key(key: int, index: int) -> None:
    expected = [(word + 0.5) / 2**32 for word in words(key, index, 150)]
    assert _numbers(key, index, 150) == expected


def test_streams_of_other_indices_and_keys_differ() -> None:
    streams = [_numbers(1, 0, 100), _numbers(1, 1, 100), _numbers(2, 0, 100), _numbers(1, 2**32, 100)]
    assert len({x for s in streams for x in s}) == 400


def test_numbers_are_uniform_and_uncorrelated() -> None:
    values = np.array([_numbers(5, i, 50) for i in range(2000)])
    counts, _ = np.histogram(values, bins=100, range=(0, 1))
    chi2 = float(((counts - 1000) ** 2 / 1000).sum())
    assert 45 < chi2 < 175  # 99 degrees of freedom, beyond 5 sigma either way
    neighbours = np.corrcoef(values[:, 0], values[:, 1])[0, 1]
    across = np.corrcoef(values[:-1, 0], values[1:, 0])[0, 1]
    assert max(abs(neighbours), abs(across)) < 0.1


def test_bounded_integers_cover_the_range() -> None:
    stream = new_stream(3)
    seek(stream, 0)
    counts = np.bincount([bounded(stream, 6) for _ in range(12_000)], minlength=6)
    assert counts.size == 6
    assert abs(counts - 2000).max() < 250


def test_the_key_depends_on_each_of_its_parts() -> None:
    keys = {stream_key(*parts) for parts in (("a", "b", 1), ("a", "b", 2), ("a", "c", 1), ("d", "b", 1))}
    assert len(keys) == 4
    assert all(0 <= k < 2**64 for k in keys)


@given(st.floats(1e-3, 1e9))
def test_cube_root(x: float) -> None:
    assert cube_root(x) == pytest.approx(math.cbrt(x), rel=5e-16)


@given(st.floats(-1e5, 1e5))
def test_arctangent(x: float) -> None:
    assert arctan(x) == pytest.approx(math.atan(x), abs=1e-15, rel=1e-15)


@given(st.floats(0, 1), st.floats(-1, 4), st.floats(0, 4))
def test_draws_from_a_table_invert_its_distribution_function(u: float, low: float, width: float) -> None:
    table = np.array([0.0, 0.5, 0.5, 1.0, 3.0])  # a step at 0.5 holds a quarter
    value = draw(table, u)
    assert np.interp(u, np.linspace(0, 1, 5), table) == pytest.approx(value)
    assert table_probability(table, value) >= u - 1e-12
    cut = draw_between(table, u, low, low + width)
    assert low <= cut <= low + width


def test_directions_are_uniform_on_the_sphere() -> None:
    """Unit vectors of mean 0; of a uniform direction each coordinate is uniform on [−1, 1] (Archimedes)."""
    stream = new_stream(5)
    seek(stream, 0)
    place, found = np.uint64(0), []
    for _ in range(20_000):
        x, y, z, place = direction(stream, np.uint64(place))
        found.append((x, y, z))
    vectors = np.array(found)
    np.testing.assert_allclose((vectors**2).sum(axis=1), 1.0, rtol=1e-12)
    for coordinate in vectors.T:
        assert stats.kstest(coordinate, "uniform", (-1, 2)).pvalue > 1e-3
