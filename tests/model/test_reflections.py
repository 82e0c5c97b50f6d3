"""The published box and list, absences by the reflection conditions of ITA, and origins by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from xtalpriors.crystal.symmetry.resolve import Resolution, resolve_space_group
from xtalpriors.errors import UsageError
from xtalpriors.model.network.loss import origin_free_cross_entropy
from xtalpriors.model.network.reflections import Reflections


def _reflections(symbol: str, max_index: int = 10) -> Reflections:
    found = resolve_space_group(hm=symbol)
    assert isinstance(found, Resolution)
    return Reflections(found.group, max_index)


@pytest.fixture(scope="module")
def phai() -> Reflections:
    return _reflections("P 1 21/c 1")


def test_the_published_list(phai: Reflections) -> None:
    """1,205 reflections of a 21 × 11 × 11 box; 84 absent, 79 copies, 1,042 counted (Larsen et al. 2024)."""
    assert phai.box.shape == (21, 11, 11)
    assert len(phai.hkl) == 1205
    assert phai.absent.sum() == 84
    assert (~phai.unique).sum() == 79 + (~phai.unique & phai.absent).sum()
    assert phai.counted.sum() == 1042
    by_hand = [
        (h, k, l)
        for h, k, l in itertools.product(range(-10, 11), range(11), range(11))
        if 0 < h * h + k * k + l * l <= 100
    ]
    assert phai.hkl.tolist() == [list(x) for x in by_hand]


def test_absences_are_those_of_the_tables(phai: Reflections) -> None:
    """ITA no. 14, unique axis b, cell choice 1: h0l: l = 2n; 0k0: k = 2n; 00l: l = 2n."""
    h, k, l = phai.hkl.T
    expected = ((k == 0) & (l % 2 == 1)) | ((h == 0) & (l == 0) & (k % 2 == 1))
    np.testing.assert_array_equal(phai.absent, expected)
    assert expected.any()


def test_copies_are_minus_h_k_0(phai: Reflections) -> None:
    h, _, l = phai.hkl.T
    np.testing.assert_array_equal(~phai.unique, (l == 0) & (h < 0))


def test_eight_origins(phai: Reflections) -> None:
    """Every combination of 0 and ½: the sign of h is (−1)^(h·2t)."""
    by_hand = {
        tuple(((-1) ** (phai.hkl @ np.array(t) % 2)).tolist()) for t in itertools.product((0, 1), repeat=3)
    }
    assert {tuple(row.astype(int).tolist()) for row in phai.origin_signs} == by_hand
    assert len(by_hand) == 8
    assert (phai.origin_signs[0] == 1).all()


def test_loss_does_not_see_the_origin(phai: Reflections) -> None:
    torch.manual_seed(1)
    logits = torch.randn(4, 2, 1205)
    positive = torch.rand(4, 1205) < 0.5
    signs = torch.from_numpy(phai.origin_signs).float()
    weights = torch.rand(1205) * torch.from_numpy(~phai.absent)
    losses = [origin_free_cross_entropy(logits, positive ^ (s < 0), weights, signs).item() for s in signs]
    unmoved = origin_free_cross_entropy(logits, positive, weights, signs[:1]).item()
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)
    assert losses[0] < unmoved, "the origin was not free: nothing was shown"


def test_other_sizes_and_groups_are_parameters() -> None:
    assert len(_reflections("P 1 21/c 1", 5).hkl) == 171
    pbca = _reflections("P b c a", 5)
    assert pbca.box.shape == (6, 6, 6)
    h, k, l = pbca.hkl.T
    rule = ((h == 0) & (k % 2 == 1)) | ((k == 0) & (l % 2 == 1)) | ((l == 0) & (h % 2 == 1))
    np.testing.assert_array_equal(pbca.absent, rule)


def test_gather_undoes_scatter(phai: Reflections) -> None:
    listed = torch.arange(1.0, 2 * 1205 + 1).reshape(2, 1205)
    boxed = phai.scatter(listed)
    assert boxed.shape == (2, 21, 11, 11)
    assert torch.equal(phai.gather(boxed), listed)
    h, k, l = phai.hkl[7]
    assert boxed[0, h + 10, k, l] == listed[0, 7]


@pytest.mark.parametrize(("symbol", "word"), [("P 21 21 21", "not centrosymmetric"), ("P n n n:1", "origin")])
def test_groups_without_a_centre_at_the_origin_are_refused(symbol: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        _reflections(symbol)
