"""Loss and score against hand-computed cases, and blind to the origin."""

from __future__ import annotations

import math

import torch

from xtalpriors.model.network.loss import origin_free_cross_entropy
from xtalpriors.model.network.score import map_correlation

# Two origins and three reflections: moving to the second turns reflections 0 and 2.
SIGNS = torch.tensor([[1.0, 1.0, 1.0], [-1.0, 1.0, -1.0]])


def test_loss_by_hand() -> None:
    """Logits ln 3 apart: the right class has p = 3/4, so −ln p is ln 4/3, and ln 4 for the wrong one."""
    logits = torch.zeros(1, 2, 3)
    logits[0, 1] = math.log(3.0)  # phase 0 preferred everywhere
    weights = torch.tensor([1.0, 1.0, 2.0])
    positive = torch.tensor([[True, True, True]])
    right, wrong = math.log(4 / 3), math.log(4)
    first = (right + right + 2 * right) / 4
    torch.testing.assert_close(origin_free_cross_entropy(logits, positive, weights, SIGNS).item(), first)
    positive = torch.tensor([[False, False, False]])  # at origin 2: + − +, one wrong of weight 1
    second = (right + wrong + 2 * right) / 4
    torch.testing.assert_close(origin_free_cross_entropy(logits, positive, weights, SIGNS).item(), second)


def test_best_origin_is_chosen_per_structure_not_per_batch() -> None:
    logits = torch.zeros(2, 2, 3)
    logits[:, 1] = math.log(3.0)
    positive = torch.tensor([[True, True, True], [False, True, False]])
    loss = origin_free_cross_entropy(logits, positive, torch.ones(3), SIGNS)
    torch.testing.assert_close(loss.item(), math.log(4 / 3))


def test_score_by_hand() -> None:
    """|F| = 3, 4, 1, the second wrong: (9 − 16 + 1)/26 at one origin, (−9 − 16 − 1)/26 at the other."""
    predicted = torch.tensor([[True, False, True]])
    true = torch.tensor([[True, True, True]])
    r = map_correlation(predicted, true, torch.tensor([[3.0, 4.0, 1.0]]), SIGNS, torch.ones(3))
    torch.testing.assert_close(r.item(), -6 / 26)
    doubled = map_correlation(
        predicted, true, torch.tensor([[3.0, 4.0, 1.0]]), SIGNS, torch.tensor([2.0, 1, 4])
    )
    torch.testing.assert_close(doubled.item(), (18 - 16 + 4) / 38)


def test_no_reflection_is_no_score() -> None:
    nothing = map_correlation(
        torch.ones(1, 3, dtype=torch.bool),
        torch.ones(1, 3, dtype=torch.bool),
        torch.zeros(1, 3),
        SIGNS,
        torch.ones(3),
    )
    assert math.isnan(nothing.item())
