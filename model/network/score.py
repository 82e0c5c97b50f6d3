"""The score r of a set of phases: the correlation of two density maps, blind to the choice of origin.

A centrosymmetric structure can be described from any of its permissible origins; moving the origin by t
turns the phase of h by 2π h·t, here by 0 or π. The score takes the origin that fits best, from the signs
exp(2πi h·t) = ±1 of `reflections`. A structure with r ≥ 0.8 counts as solved.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["map_correlation"]


def map_correlation(
    predicted_positive: Tensor,
    true_positive: Tensor,
    amplitudes: Tensor,
    origin_signs: Tensor,
    counts: Tensor,
) -> Tensor:
    """Correlation r between the phased and the true density map, at the best permissible origin.

    r = max over t of Σ c |F|² cos(φ_true(h, t) − φ_pred(h)) / Σ c |F|²  (Larsen et al. 2024, where c = 1 on
    the unique reflections). With c the multiplicity of h in its Laue class, r correlates the two maps.

    Parameters
    ----------
    predicted_positive, true_positive
        (B, N) bool: the phase is 0.
    amplitudes
        (B, N), on any scale; a reflection of amplitude 0 does not count.
    origin_signs
        (T, N), ±1.
    counts
        (N,): how often each reflection counts; 0 leaves it out (absences, symmetry copies).

    Returns
    -------
    Tensor
        (B,), from −1 to 1; NaN where no reflection counts.
    """
    weight = amplitudes.double().square() * counts
    agreement = weight * (predicted_positive == true_positive).double().mul(2).sub(1)
    return (agreement @ origin_signs.double().T).amax(dim=1) / weight.sum(dim=1)
