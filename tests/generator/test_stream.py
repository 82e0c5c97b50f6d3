"""The stream: one order for any number of workers, exact resume, shards, d_min and missing reflections."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from crystals import gemmi_structure_factors
from torch.utils.data import DataLoader

from xtalpriors.crystal.scattering.reciprocal import orbit_numbers, s_squared, systematic_absences
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import generate
from xtalpriors.generator.prefetch import prefetch
from xtalpriors.generator.stream import StreamBatch, StructureStream, crystal_arrays
from xtalpriors.priors.bundle import PriorBundle, make_bundle, published_bundle
from xtalpriors.priors.distributions.distribution import Empirical
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.kinds.diffraction import Diffraction


@pytest.fixture(scope="module")
def bundle() -> PriorBundle:
    return published_bundle()


def small(bundle: PriorBundle, **options: Any) -> StructureStream:
    settings: dict[str, Any] = {"seed": 5, "count": 50, "batch_size": 8, "max_index": 5}
    return StructureStream(bundle, **(settings | options))


def assert_same(left: list[StreamBatch], right: list[StreamBatch]) -> None:
    assert len(left) == len(right) > 0
    for a, b in zip(left, right, strict=True):
        assert a.number == b.number
        for x, y in zip(a[:-1], b[:-1], strict=True):
            assert torch.equal(x, y)


def test_a_batch_is_the_diffraction_of_the_generated_structures(bundle: PriorBundle) -> None:
    stream = StructureStream(bundle, seed=7, start=100, count=16, batch_size=16)
    (batch,) = stream
    structures = generate(bundle, None, 7, 100, 16)
    assert batch.amplitudes.shape == batch.phases.shape == (16, 21, 11, 11)
    assert (structures.weight == 0.5).any()  # atoms on inversion centres
    assert batch.amplitudes.dtype == batch.phases.dtype == torch.float32
    assert batch.index.tolist() == list(range(100, 116))
    assert np.array_equal(batch.cell.numpy(), structures.cell)
    group = SpaceGroup.from_hm("P 1 21/c 1")
    hkl = stream.box.miller_indices
    norm = (hkl**2).sum(axis=1)
    for i in range(16):
        inside = (s_squared(hkl, structures.cell)[i] <= 1.0) & (norm > 0) & (norm <= 100)
        places = np.flatnonzero(inside)
        expected = gemmi_structure_factors(group, crystal_arrays(structures), i, hkl[places])
        size = np.where(np.abs(expected) >= 0.01, np.abs(expected), 0.0)
        assert len(places) > 30 and size.max() > 10
        amplitudes = batch.amplitudes[i].numpy().ravel()
        assert np.abs(amplitudes[places] - size / size.max()).max() < 5e-6 + 0.01 / size.max() * 1e-2
        assert np.all(amplitudes[~inside] == 0) and amplitudes.max() == pytest.approx(1.0, abs=1e-6)
        assert float(batch.scale[i]) == pytest.approx(size.max(), rel=1e-5)
        strong = size > 0.01 * size.max()
        phases = batch.phases[i].numpy().ravel()
        assert np.array_equal(phases[places][strong] == 0, expected.real[strong] > 0)
        absent = systematic_absences(group, hkl[places])
        assert absent.any() and np.all(amplitudes[places][absent] == 0)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_same_batches_in_the_same_order_for_any_number_of_workers(
    bundle: PriorBundle, workers: int
) -> None:
    alone = list(small(bundle, completeness=0.9))
    assert [b.number for b in alone] == list(range(7)) and len(alone[-1].index) == 2
    loader = DataLoader(small(bundle, completeness=0.9), batch_size=None, num_workers=workers)
    assert_same(alone, list(loader))


@pytest.mark.parametrize(("threads", "ahead"), [(1, 1), (2, 3), (3, 20)])
def test_threads_make_the_same_batches_in_the_same_order(
    bundle: PriorBundle, threads: int, ahead: int
) -> None:
    options: dict[str, Any] = {"completeness": 0.9, "rank": 1, "world_size": 2}
    alone = list(small(bundle, **options))
    assert_same(alone, list(prefetch(small(bundle, **options), threads=threads, ahead=ahead)))
    iterator = prefetch(small(bundle, **options), threads=threads, ahead=ahead)
    first = next(iterator)
    iterator.close()  # type: ignore[attr-defined]
    continued = small(bundle, **options)
    continued.load_state_dict(continued.state_dict(after=first))
    assert_same(alone, [first, *prefetch(continued, threads=threads)])
    with pytest.raises(UsageError, match="at least 1 thread"):
        prefetch(continued, threads=0)


def test_a_batch_prints_five_lines(bundle: PriorBundle) -> None:
    last = list(small(bundle))[-1]  # of 50 structures in eights
    lines = repr(last).splitlines()
    assert len(lines) == 5 and max(map(len, lines)) < 100
    assert lines[0] == "StreamBatch 6: 2 structures, index 48 … 49"
    least, largest = last.cell[:, :3].min().item(), last.cell[:, :3].max().item()
    assert f"lengths: {least:.2f} … {largest:.2f} Å" in lines[3]


def test_memory_is_used_again_only_when_nobody_holds_it(bundle: PriorBundle) -> None:
    stream = small(bundle)
    first, second = itertools.islice(stream, 2)
    copy, part = first.amplitudes.clone(), first.amplitudes[3:]
    addresses = {first.phases.data_ptr(), second.phases.data_ptr(), second.amplitudes.data_ptr()}
    assert len({first.amplitudes.data_ptr(), *addresses}) == 4
    del first, second
    later = [b for b in stream if len(b.index) == 8]
    assert addresses & {t.data_ptr() for b in later for t in (b.amplitudes, b.phases)}
    assert torch.equal(part, copy[3:])


def test_a_stream_goes_to_another_process(bundle: PriorBundle) -> None:
    stream = small(bundle)
    next(iter(stream))
    assert_same(list(small(bundle))[1:], list(pickle.loads(pickle.dumps(stream))))


def test_ranks_share_the_batches(bundle: PriorBundle) -> None:
    alone = list(small(bundle))
    shards = [list(small(bundle, rank=r, world_size=3)) for r in range(3)]
    assert [b.number for b in shards[1]] == [1, 4]
    assert_same(alone, sorted(itertools.chain(*shards), key=lambda b: b.number))
    loader = DataLoader(small(bundle, rank=1, world_size=3), batch_size=None, num_workers=2)
    assert_same(shards[1], list(loader))


def test_a_structure_is_the_same_in_a_batch_of_any_size(bundle: PriorBundle) -> None:
    options: dict[str, Any] = {"completeness": (0.5, 1.0), "d_min_angstrom": (1.0, 1.5)}
    pairs = [list(small(bundle, batch_size=size, **options)) for size in (8, 50)]
    for field in range(7):
        parts = [torch.cat([batch[field] for batch in batches]) for batches in pairs]
        assert torch.equal(*parts)


def test_resume_is_exact(bundle: PriorBundle) -> None:
    alone = list(small(bundle))
    stopped = small(bundle)
    first = list(itertools.islice(stopped, 3))
    state = stopped.state_dict()
    continued = small(bundle)
    continued.load_state_dict(state)
    assert_same(alone, first + list(continued))
    # with workers the state is that of the last batch used, whatever was made ahead
    loader = DataLoader(small(bundle), batch_size=None, num_workers=2)
    iterator = iter(loader)
    used = [next(iterator) for _ in range(4)]
    continued = small(bundle)
    continued.load_state_dict(small(bundle).state_dict(after=used[-1]))
    rest = list(DataLoader(continued, batch_size=None, num_workers=3))
    assert_same(alone, used + rest)


def test_a_state_of_another_stream_is_refused(bundle: PriorBundle) -> None:
    state = small(bundle).state_dict()
    others: list[dict[str, Any]] = [
        {"seed": 6},
        {"start": 1},
        {"count": 10},
        {"batch_size": 4},
        {"max_index": 4},
        {"d_min_angstrom": 1.1},
        {"completeness": 0.9},
        {"scale": "rms"},
        {"world_size": 2},
        {"rank": 1, "world_size": 2},
    ]
    for options in others:
        with pytest.raises(XtalpriorsError, match="saved stream had"):
            small(bundle, **options).load_state_dict(state)


def test_resolution_is_drawn_and_cuts_the_data(bundle: PriorBundle) -> None:
    stream = small(bundle, d_min_angstrom=(1.2, 2.0), count=40, batch_size=40)
    (batch,) = stream
    assert batch.d_min.min() >= 1.2 and batch.d_min.max() <= 2.0 and len(batch.d_min.unique()) == 40
    assert abs(float(batch.d_min.mean()) - 1.6) < 5 * 0.8 / np.sqrt(12 * 40)
    d = 1.0 / np.sqrt(np.maximum(s_squared(stream.box.miller_indices, batch.cell.numpy()), 1e-9))
    seen = batch.amplitudes.reshape(40, -1).numpy() > 0
    assert np.all(d[seen] >= np.broadcast_to(batch.d_min.numpy()[:, None], d.shape)[seen] * (1 - 1e-6))
    coarse = (batch.d_min > 1.8).numpy()
    assert seen[coarse].sum(axis=1).mean() < seen[~coarse].sum(axis=1).mean()


def test_equivalent_reflections_are_left_out_together(bundle: PriorBundle) -> None:
    complete, part = small(bundle), small(bundle, completeness=0.7)
    group = SpaceGroup.from_hm("P 1 21/c 1")
    orbits = orbit_numbers(group, complete.box.miller_indices)
    kept_count, copies = 0, 0
    total = 0
    for a, b in zip(complete, part, strict=True):
        full, kept = ((x.amplitudes.reshape(len(x.index), -1) > 0).numpy() for x in (a, b))
        assert np.all(full | ~kept)
        assert torch.equal(a.index, b.index) and torch.equal(a.cell, b.cell)
        for i in range(len(full)):
            for orbit in np.unique(orbits[full[i]]):
                members = full[i] & (orbits == orbit)
                assert kept[i][members].all() or not kept[i][members].any()
                copies += members.sum() > 1
                kept_count += kept[i][members].any()
                total += 1
        assert b.amplitudes.amax(dim=(1, 2, 3)).numpy() == pytest.approx(1.0, abs=1e-6)
    assert copies > 100
    assert abs(kept_count / total - 0.7) < 5 * np.sqrt(0.21 / total)


def test_other_groups_and_scales(bundle: PriorBundle) -> None:
    stream = StructureStream(
        bundle,
        configure(space_group="P 21 21 21", filling="random"),
        count=4,
        batch_size=4,
        max_index=4,
        scale="rms",
    )
    (batch,) = stream
    assert batch.amplitudes.shape == (4, 5, 5, 5)
    phases = batch.phases[batch.amplitudes > 0]
    assert len(phases) > 20 and len(torch.unique(phases)) > 10
    for amplitude in batch.amplitudes:
        assert float(amplitude[amplitude > 0].square().mean().sqrt()) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"count": 0}, "count is 0"),
        ({"start": -1}, "start is -1"),
        ({"rank": 2, "world_size": 2}, "rank is 2; of 2 processes it is 0 … 1"),
        ({"max_index": 0}, "max_index is 0"),
        ({"scale": "max"}, "scale is 'max'; there are maximum, rms, none"),
        ({"completeness": 1.2}, "completeness is 1.2; it must be positive and at most 1"),
        ({"completeness": 0.0}, "completeness is 0.0"), ({"d_min_angstrom": -1.0}, "d_min is -1.0"),
        ({"d_min_angstrom": (2.0, 1.0)}, "d_min from 2.0 to 1.0: the smaller number comes first"),
        ({"d_min_angstrom": "fine"}, "d_min is 'fine': give a number, a pair of numbers, or 'bundle'"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be(bundle: PriorBundle, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small(bundle, **options)


def test_a_resolution_beyond_the_cell_names_the_structures(bundle: PriorBundle) -> None:
    with pytest.raises(
        XtalpriorsError, match=r"Batch 0 \(structures 0 … 7\): Crystal 0.*no reflection within"
    ):
        next(iter(small(bundle, d_min_angstrom=30.0)))


def with_diffraction(bundle: PriorBundle, diffraction: Diffraction | None) -> PriorBundle:
    priors = bundle.priors.model_copy(update={"diffraction": diffraction})
    return make_bundle("measured", bundle.created_from, priors)


def test_resolution_and_completeness_of_the_bundle(bundle: PriorBundle) -> None:
    quantiles = {"d_min": (1.1, 1.3, 2.1), "completeness": (0.6, 0.9, 1.0)}
    priors = {
        name: ScalarPrior(
            unit="1", convention="made up", empirical=Empirical(probabilities=(0.0, 0.5, 1.0), values=values)
        )
        for name, values in quantiles.items()
    }
    measured = with_diffraction(bundle, Diffraction(**priors))
    (batch,) = small(
        measured, d_min_angstrom="bundle", completeness="bundle", count=400, batch_size=400, max_index=3
    )
    for name, (low, median, high) in quantiles.items():
        drawn = getattr(batch, name).numpy()
        assert low <= drawn.min() < median < drawn.max() <= high
        assert abs(np.mean(drawn < median) - 0.5) < 5 * np.sqrt(0.25 / 400)
    assert abs(np.corrcoef(batch.d_min, batch.completeness)[0, 1]) < 0.25
    published = small(bundle, d_min_angstrom="bundle", completeness="bundle")
    assert_same(list(small(bundle)), list(published))


def test_completeness_of_the_bundle_ends_at_one(bundle: PriorBundle) -> None:
    """Databases hold values above 1, from rounding; a fitted quantile table may reach beyond it."""
    table = Empirical(probabilities=(0.0, 0.5, 1.0), values=(0.9, 1.0, 1.1))
    prior = bundle.priors.diffraction
    assert prior is not None
    above = ScalarPrior(unit="1", convention="made up", empirical=table)
    measured = with_diffraction(bundle, prior.model_copy(update={"completeness": above}))
    (batch,) = small(measured, completeness="bundle", count=40, batch_size=40, max_index=3)
    assert float(batch.completeness.max()) == 1.0 and 0.9 <= float(batch.completeness.min()) < 1.0


def test_a_bundle_without_diffraction_says_so(bundle: PriorBundle) -> None:
    with pytest.raises(XtalpriorsError, match="'diffraction'"):
        small(with_diffraction(bundle, None), d_min_angstrom="bundle")
    prior = bundle.priors.diffraction
    assert prior is not None
    half = with_diffraction(bundle, prior.model_copy(update={"completeness": None}))
    with pytest.raises(
        XtalpriorsError, match="has no completeness in its diffraction prior: give the stream"
    ):
        small(half, completeness="bundle")


def test_nothing_measured_is_all_zero(bundle: PriorBundle) -> None:
    (batch,) = small(bundle, completeness=1e-9, count=8)
    assert not batch.amplitudes.any() and not batch.phases.any() and torch.all(batch.scale == 1)
