"""Schedule, averaging, recycling and input scaling against hand-computed cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from phasing_crystals import cif_text, structures
from training import tiny

from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import space_group_of
from xtalpriors.generator.stream import StructureStream
from xtalpriors.model.experimental_sets import measured_set
from xtalpriors.model.network.inputs import InputScaling
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.network.recycling import initial_phases, phase, recycled_logits
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.training.averaging import average_, decay_at
from xtalpriors.model.training.config import ScheduleConfig
from xtalpriors.model.training.schedule import Schedule
from xtalpriors.model.training.validation import ValidationSet, score_set
from xtalpriors.priors.bundle import published_bundle
from xtalpriors.priors.distributions.estimate import wilson_interval


@pytest.fixture(scope="module")
def reflections() -> Reflections:
    return Reflections(space_group_of("P 1 21/c 1"), 5)


def test_plateau_takes_the_next_level_when_the_loss_stays() -> None:
    config = ScheduleConfig(kind="plateau", window_structures=20, patience=2, threshold=0.01)
    schedule = Schedule(config, 5e-4, steps=1000, batch_size=10)
    rates = []
    for mean in (1.0, 0.5, 0.499, 0.6, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3):  # one window of two steps each
        schedule.observe(2 * mean, 2)
        rates.append(schedule.rate(1))
    by_hand = [5e-4, 5e-4, 5e-4, 5e-5, 5e-5, 5e-5, 1e-5, 1e-5, 1e-5, 1e-5]
    assert rates == pytest.approx(by_hand)


def test_cosine_with_warm_up() -> None:
    config = ScheduleConfig(kind="cosine", warmup_structures=40, final_share=0.1)
    schedule = Schedule(config, 1.0, steps=104, batch_size=10)
    assert [schedule.rate(step) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert schedule.rate(4) == 1.0
    assert schedule.rate(54) == pytest.approx(0.1 + 0.9 * 0.5)
    assert schedule.rate(104) == pytest.approx(0.1)


def test_average_by_hand() -> None:
    average, model = torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(average.weight, 4.0)
    torch.nn.init.constant_(model.weight, 8.0)
    average_(average, model, 0.75)
    assert average.weight.item() == 5.0
    assert decay_at(0.99, 0) == 0.1 and decay_at(0.99, 10**6) == 0.99


def test_only_the_last_cycle_has_a_gradient(reflections: Reflections) -> None:
    """A network that answers each phase with its opposite: an even number of cycles comes back."""
    seen: list[bool] = []
    scale = torch.ones((), requires_grad=True)

    def opposite(amplitudes: torch.Tensor, phases: torch.Tensor) -> torch.Tensor:
        seen.append(torch.is_grad_enabled())
        was_zero = (reflections.gather(phases) == 0).float()
        return scale * torch.stack([was_zero, 1 - was_zero], dim=1)

    start = initial_phases(reflections, 3, random=True, generator=torch.Generator().manual_seed(1))
    values = set(reflections.gather(start).flatten().tolist())
    assert values == {0.0, -180.0}
    boxes = torch.ones(3, *reflections.box.shape)
    logits = recycled_logits(opposite, reflections, boxes, start, 3)
    assert seen == [False, False, True] and logits.requires_grad
    is_zero = reflections.gather(start) == 0
    for cycles in (1, 2, 3, 4):
        answer = phase(opposite, reflections, boxes, cycles=cycles, initial=start)
        assert torch.equal(answer, is_zero ^ (cycles % 2 == 1))
    with pytest.raises(UsageError, match="at least 1 cycle"):
        phase(opposite, reflections, boxes, cycles=0, initial=start)


def test_copies_begin_with_the_phase_of_their_original(reflections: Reflections) -> None:
    start = initial_phases(reflections, 2, random=True, generator=torch.Generator().manual_seed(5))
    listed, places = reflections.gather(start), {tuple(h): i for i, h in enumerate(reflections.hkl.tolist())}
    pairs = [(i, places[-h, k, 0]) for (h, k, l), i in places.items() if l == 0 and h > 0]
    assert len(pairs) > 10
    for original, copy in pairs:
        assert torch.equal(listed[:, original], listed[:, copy])


def test_scaling_by_maximum_and_by_mean_square(reflections: Reflections) -> None:
    listed = torch.zeros(2, 171)
    listed[0, 3:5] = torch.tensor([3.0, 4.0])
    by_maximum = InputScaling(reflections, "maximum").scaled(listed)
    assert by_maximum[0, 3:5].tolist() == [0.75, 1.0]
    by_mean = InputScaling(reflections, "rms").scaled(listed)
    assert by_mean[0, 3:5].tolist() == pytest.approx([3 / math.sqrt(12.5), 4 / math.sqrt(12.5)])
    for scaled in (by_maximum, by_mean):
        assert not scaled[1].any()


def test_normalised_structure_factors_have_no_fall_off(reflections: Reflections) -> None:
    """⟨|E|²⟩ is near 1 in every shell of resolution, on any scale; so is that of h0l, where ε is 2."""
    stream = StructureStream(published_bundle(), seed=3, count=512, batch_size=512, max_index=5)
    (batch,) = stream
    scaling = InputScaling(reflections, "normalised-E")
    listed = reflections.gather(batch.amplitudes)
    e = scaling.scaled(listed, batch.cell).numpy()
    s = np.sqrt(s_squared(reflections.hkl, batch.cell.numpy()))
    seen = listed.numpy() > 0
    means, raw = [], []
    for low, high in ((0.0, 0.35), (0.35, 0.5), (0.5, 0.65), (0.65, 0.85)):
        shell = seen & (s > low) & (s <= high)
        assert shell.sum() > 1000
        means.append((e[shell] ** 2).mean())
        raw.append((listed.numpy()[shell] ** 2).mean())
    assert raw[0] > 3 * raw[-1]
    assert means == pytest.approx([1.0] * 4, abs=0.3)
    k_zero = (reflections.hkl[:, 1] == 0) & ~reflections.absent
    general = (reflections.hkl != 0).all(axis=1)
    ratio = (e[:, k_zero][seen[:, k_zero]] ** 2).mean() / (e[:, general][seen[:, general]] ** 2).mean()
    assert ratio == pytest.approx(1.0, abs=0.25)
    torch.testing.assert_close(
        scaling.scaled(7 * listed, batch.cell), torch.from_numpy(e), rtol=1e-4, atol=1e-5
    )


def test_amplitudes_that_cannot_be(reflections: Reflections) -> None:
    boxes = torch.ones(1, *reflections.box.shape)
    for value in (math.nan, math.inf, -1.0):
        wrong = boxes.clone()
        wrong[0, 3, 3, 3] = value
        with pytest.raises(XtalpriorsError, match="negative, infinite or not a number"):
            InputScaling(reflections, "maximum")(wrong)
    with pytest.raises(XtalpriorsError, match="needs the unit cell"):
        InputScaling(reflections, "normalised-E")(boxes)


def test_experimental_structures_are_scored_as_generated_ones_are() -> None:
    """r of all-zero phases by hand: Σ|F|² of the positive ones less that of the others, best origin."""
    config = tiny()
    reflections = config.reflections()
    data = measured_set("made", structures(cif_text()), config, reflections)
    model = PhAI(config.network_size(reflections))
    torch.nn.init.zeros_(model.head.weight)
    with torch.no_grad():
        model.head.bias[:] = torch.arange(2).repeat_interleave(len(reflections.hkl))  # always phase 0
    score = score_set(model, reflections, InputScaling(reflections, "normalised-E"), data, cycles=2)
    weight = (data.amplitudes[0].double().square() * torch.from_numpy(reflections.counted)).numpy()
    sign = np.where(data.positive[0].numpy(), 1.0, -1.0)
    by_hand = max((weight * sign * moved).sum() for moved in reflections.origin_signs) / weight.sum()
    assert score.n == 1 and score.median_r == pytest.approx(by_hand)
    assert score.zero_phases_solved == score.solved == float(by_hand >= 0.8)


def test_median_of_an_even_number_is_between_the_two(reflections: Reflections) -> None:
    """Of two structures it is the mean of both r: 1 where every phase is 0, less where a third is not."""
    n = len(reflections.hkl)
    positive = torch.ones((2, n), dtype=torch.bool)
    positive[1, torch.arange(0, n, 3)] = False
    cells = torch.tensor([[6.0, 7.0, 8.0, 90.0, 100.0, 90.0]], dtype=torch.float64).expand(2, 6)
    data = ValidationSet("two", torch.ones((2, n)), positive, cells)
    model = PhAI(tiny(data__max_index=5).network_size(reflections))
    torch.nn.init.zeros_(model.head.weight)
    with torch.no_grad():
        model.head.bias[:] = torch.arange(2).repeat_interleave(n)  # always phase 0
    score = score_set(model, reflections, InputScaling(reflections, "maximum"), data, cycles=1)
    assert score.mean_r < 1.0 and score.median_r == pytest.approx(score.mean_r)


def test_wilson_interval() -> None:
    """Brown, Cai & DasGupta (2001), doi 10.1214/ss/1009213286: 0 of 10 and 5 of 10 at 95 %."""
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
