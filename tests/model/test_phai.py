"""The network against the published one: parameter count and layer shapes."""

from __future__ import annotations

import torch

from xtalpriors.model.network.phai import SIZES, PhAI, phases_of


def test_parameter_count_is_the_published_one() -> None:
    """42,443,882 parameters: 5,760 + 2,989,440 + 2,603,008 + 34,373,376 + 2,048 + 2,470,250, by hand."""
    by_hand = (
        2 * (27 * 96 + 96 + 2 * 96)
        + 6 * 2 * (27 * 96 * 96 + 96 + 2 * 96)
        + (21 * 11 * 11 * 1024 + 1024)
        + 8 * (2 * 2 * 96 + (96 * 512 + 512) + (512 * 96 + 96) + (1024 * 2048 + 2048) + (2048 * 1024 + 1024))
        + 2 * 1024
        + (1024 * 2410 + 2410)
    )
    assert by_hand == 42_443_882
    with torch.device("meta"):
        assert PhAI().count_parameters() == by_hand


def test_layer_shapes() -> None:
    with torch.device("meta"):
        shapes = {name: tuple(p.shape) for name, p in PhAI().named_parameters()}
    assert shapes["amplitudes.0.weight"] == shapes["phases.0.weight"] == (96, 1, 3, 3, 3)
    assert shapes["residual.5.conv2.weight"] == (96, 96, 3, 3, 3)
    assert shapes["projection.weight"] == (1024, 2541)
    assert shapes["mixer.7.0.layer1.weight"] == (512, 96, 1)
    assert shapes["mixer.7.1.layer2.weight"] == (1024, 2048)
    assert shapes["head.weight"] == (2410, 1024)


def test_medium_size_is_nine_and_a_half_million() -> None:
    with torch.device("meta"):
        assert round(PhAI(SIZES["medium"]).count_parameters() / 1e6, 1) == 9.5


def test_class_zero_is_pi() -> None:
    logits = torch.tensor([[[2.0, -1.0], [1.0, 3.0]]])  # one structure, two reflections
    assert phases_of(logits).tolist() == [[-180.0, 0.0]]
