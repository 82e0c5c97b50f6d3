"""SSIM and PSNR of density maps against scikit-image, and the orientations of a cube."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from xtalpriors.model.powder.scoring.score import ScoreOptions, best_score, orientations, psnr, ssim


def blobs(points: int, seed: int, *, inverted_too: bool = False) -> np.ndarray:
    """A periodic map of a few peaks without symmetry, or with their images through the origin."""
    rng = np.random.default_rng(seed)
    axis = np.arange(points) / points
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    centres = rng.random((4, 3))
    weights = rng.uniform(1.0, 5.0, 4)
    if inverted_too:
        centres, weights = np.concatenate([centres, -centres]), np.concatenate([weights, weights])
    return sum(
        w * np.exp(-60.0 * (np.sin(np.pi * (grid - c)) ** 2).sum(axis=-1))
        for c, w in zip(centres, weights, strict=True)
    )


@pytest.mark.parametrize("points", [9, 25, 50])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ssim_and_psnr_are_those_of_scikit_image(points: int, dtype: type) -> None:
    truth, other = blobs(points, 1).astype(dtype), (blobs(points, 2) + 0.3).astype(dtype)
    span = float(truth.max() - truth.min())
    expected = structural_similarity(truth, other, data_range=span)
    assert ssim(truth, other) == pytest.approx(expected, abs=1e-6) and expected < 0.9
    assert psnr(truth, other) == pytest.approx(
        peak_signal_noise_ratio(truth, other, data_range=span), abs=1e-6
    )


@pytest.mark.parametrize("periodic", [True, False])
def test_best_score_is_the_best_of_24_arrays(periodic: bool) -> None:
    """Means over windows are turned with the map: as if each turned map were compared anew."""
    truth, other = blobs(20, 1), blobs(20, 3)
    found = best_score(truth, [other], ScoreOptions(periodic_rotations=periodic))
    turned = list(orientations(other, periodic=periodic))
    assert len(turned) == 24
    span = truth.max() - truth.min()
    assert found.ssim == pytest.approx(
        max(structural_similarity(truth, np.ascontiguousarray(t), data_range=span) for t in turned), abs=1e-9
    )
    assert found.psnr == pytest.approx(
        max(peak_signal_noise_ratio(truth, t, data_range=span) for t in turned), abs=1e-9
    )


def test_published_orientations_are_those_of_rot90() -> None:
    density = blobs(7, 4)
    expected = set()
    planes = [(0, 1), (0, 2), (1, 2)]
    for turns in itertools.product(range(4), repeat=3):
        turned = density
        for plane, k in zip(planes, turns, strict=True):
            turned = np.rot90(turned, k, plane)
        expected.add(turned.tobytes())
    found = {np.ascontiguousarray(one).tobytes() for one in orientations(density, periodic=False)}
    assert len(found) == 24 and found == {np.frombuffer(e).tobytes() for e in expected}


def test_a_crystal_turned_about_its_origin_scores_exactly_one() -> None:
    """x → −x is i → −i mod n; about the middle of the grid the same crystal is one voxel off (oddity 2)."""
    truth = blobs(24, 5)
    n = np.arange(24)
    mirrored = truth[:, (-n) % 24][:, :, (-n) % 24]  # a twofold axis along x
    exact = best_score(truth, [mirrored])
    assert exact.ssim == pytest.approx(1.0, abs=1e-12) and exact.psnr == np.inf
    published = best_score(truth, [mirrored], ScoreOptions(periodic_rotations=False))
    assert published.ssim < 0.98 and published.psnr < 40.0


def test_inversion_counts_only_when_asked_for() -> None:
    truth = blobs(24, 6)
    n = (-np.arange(24)) % 24
    inverted = truth[n][:, n][:, :, n]
    assert best_score(truth, [inverted]).ssim < 0.99
    assert best_score(truth, [inverted], ScoreOptions(inversion=True)).psnr == np.inf
    centred = blobs(24, 6, inverted_too=True)
    assert best_score(centred, [centred[n][:, n][:, :, n]]).ssim == pytest.approx(1.0, abs=1e-12)


def test_empty_plane_of_the_published_evaluation() -> None:
    """int(29/50 · 50) is 28: 1 − (49/50)³ = 5.9 % of the voxels are zero in both maps."""
    assert [i for i in range(50) if i not in {int(j / 50 * 50) for j in range(50)}] == [29]
    assert all(int(j / 25 * 25) == j for j in range(25))
    truth, other = blobs(50, 7), blobs(50, 7) + 0.05
    plain = best_score(truth, [other])
    emptied = best_score(truth, [other], ScoreOptions(empty_plane=True))
    kept = (49 / 50) ** 3
    assert emptied.psnr - plain.psnr == pytest.approx(-10 * np.log10(kept), abs=1e-9)


def test_best_of_tries_takes_each_maximum_of_its_own() -> None:
    truth = blobs(20, 8)
    tries = [truth + 0.5, truth + 0.2 * blobs(20, 9)]
    singles = [best_score(truth, [one]) for one in tries]
    both = best_score(truth, tries)
    assert both == (max(s.ssim for s in singles), max(s.psnr for s in singles))


def test_a_truth_without_contrast_has_no_ssim() -> None:
    assert np.isnan(ssim(np.ones((9, 9, 9)), np.ones((9, 9, 9))))
