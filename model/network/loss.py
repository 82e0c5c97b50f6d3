"""The training loss, blind to the choice of origin.

A centrosymmetric structure can be described from any of its permissible origins; moving the origin by t
turns the phase of h by 2π h·t, here by 0 or π. The loss must not depend on which one the true
phases happen to use. The moves come as signs exp(2πi h·t) = ±1, from `reflections`.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["origin_free_cross_entropy"]


def origin_free_cross_entropy(
    logits: Tensor, positive: Tensor, weights: Tensor, origin_signs: Tensor
) -> Tensor:
    """Weighted cross-entropy per reflection, least over the permissible origins, mean over the batch.

    Parameters
    ----------
    logits
        (B, 2, N): class 0 is the phase π (−180°), class 1 the phase 0.
    positive
        (B, N) bool: the true phase is 0.
    weights
        (N,): weight of each reflection, 0 for systematic absences; they are divided by their sum.
    origin_signs
        (T, N), ±1: what moving to origin t does to the sign of reflection h.

    Returns
    -------
    Tensor
        Scalar, in nats.

    Notes
    -----
    Let d be the cross-entropy of the true class and e that of the other. Origin t swaps them where its sign
    is −1, so Σ w (d or e) = Σ w d + Σ_{sign = −1} w (e − d): one matrix product gives all the origins.
    """
    log_probability = functional.log_softmax(logits.float(), dim=1)
    right = -log_probability[:, 1].where(positive, log_probability[:, 0])
    wrong = -log_probability[:, 0].where(positive, log_probability[:, 1])
    share = weights / weights.sum()
    swapped = (origin_signs < 0).to(share.dtype)
    per_origin = (right * share).sum(dim=1, keepdim=True) + ((wrong - right) * share) @ swapped.T
    return per_origin.amin(dim=1).mean()
