"""What an evaluation comes to: shares of solved structures and medians of r, with N and 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from pydantic import Field
from scipy.special import bdtrc

from xtalpriors.arrays import F64, Bool
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.network.card import SOLVED
from xtalpriors.model.scoring.evaluation_table import Evaluation
from xtalpriors.model.scoring.structures import CLASSES
from xtalpriors.outputs import FileKind, json_with
from xtalpriors.priors.distributions.estimate import wilson_interval

__all__ = ["SCORES", "SUMMARY", "Score", "Summary", "score", "score_text", "summarise", "training_volumes"]


SUMMARY: Final = FileKind("the summary of an evaluation", json_with("n_refused", "protocol", "scores"))
SOLVED_2024: Final = 0.95
"""r above which a structure is solved in Larsen et al. 2024; in Melgalvis & Reķis 2026 it is `SOLVED`."""

SCORES: Final[Mapping[str, str]] = {
    "best": "best_r",
    "best, by multiplicity": "best_r_multiplicity",
    "best, extended": "best_r_extended",
    "chosen": "chosen_r",
    "chosen, by multiplicity": "chosen_r_multiplicity",
    "chosen, extended": "chosen_r_extended",
    "chosen by positivity": "r_by_positivity",
    "chosen by skewness": "r_by_skewness",
    "chosen by expected_r": "r_by_expected_r",
    "chosen by agreement": "r_by_agreement",
    "phases all zero": "r_zero",
    "random phases": "r_random",
    "best of five random": "r_random_best",
    "charge flipping, chosen": "r_charge_flipping",
    "charge flipping, best": "r_charge_flipping_best",
}
"""Names of the scores, and their columns; those of baselines that were not computed are left out."""


class Score(Frozen):
    """A column of r in numbers."""

    n: int
    """Structures."""
    solved: float | None
    """Fraction with r ≥ 0.8."""
    solved_low: float | None
    solved_high: float | None
    """Wilson's 95 % interval."""
    solved_95: float | None
    """Fraction with r > 0.95."""
    median: float | None
    median_low: float | None
    median_high: float | None
    """95 % bootstrap interval."""


class Summary(Frozen):
    """All scores of an evaluation, whole and in parts."""

    n: int
    n_refused: int
    n_u_assumed: int
    """Structures in which at least one atom has an assumed U_iso."""
    protocol: dict[str, Any]
    network: dict[str, Any]
    scores: dict[str, Score]
    by_class: dict[str, dict[str, Score]]
    by_special: dict[str, dict[str, Score]]
    by_volume: dict[str, dict[str, Score]] = Field(default_factory=dict)
    """`trained` on, and `other` volumes; empty where the training volumes had no limits."""


def score(r: F64) -> Score:
    """Fraction solved and median, of r (n,); structures whose r is NaN count as not solved, with r = 0."""
    values = np.nan_to_num(np.asarray(r, dtype=np.float64), nan=0.0)
    n = len(values)
    if n == 0:
        return Score.model_validate(dict.fromkeys(Score.model_fields) | {"n": 0})
    # 0.8 but for the rounding of a sum counts
    solved = int((values >= SOLVED - 1e-9).sum())
    solved_low, solved_high = wilson_interval(solved, n)
    low, high = _median_interval(values)
    return Score(
        n=n,
        solved=solved / n,
        solved_low=solved_low,
        solved_high=solved_high,
        solved_95=float((values > SOLVED_2024).mean()),
        median=float(np.median(values)),
        median_low=low,
        median_high=high,
    )


def _median_interval(values: F64) -> tuple[float, float]:
    """Percentiles of the bootstrapped median, without resampling.

    A resample of n has its median at or below the k-th smallest value where at least half of its members are
    among the k smallest, each with the probability k/n: a binomial tail. Of an even number the lower median
    gives the lower end, the upper one the upper end.
    """
    ordered, n = np.sort(values), len(values)
    share = np.arange(1, n + 1) / n
    lower = bdtrc((n + 1) // 2 - 1, n, share)  # P(lower median ≤ x_k), a tail of the binomial distribution
    upper = bdtrc(n // 2, n, share)
    first, last = (int(np.argmax(cdf >= p)) for cdf, p in ((lower, 0.025), (upper, 0.975)))
    return float(ordered[first]), float(ordered[last])


def summarise(evaluation: Evaluation) -> Summary:
    """Scores of all structures, of each compound class, and by number of special positions."""
    rows = evaluation.rows
    classes = np.array(rows["compound_class"].to_pylist(), dtype=object)
    special = rows["n_special"].to_numpy()
    parts = {name: classes == name for name in CLASSES}
    numbers = {"0": special == 0, "1": special == 1, "2 or more": special >= 2}
    volumes = _by_volume(rows["volume_angstrom3"].to_numpy(), evaluation.metadata["network"])
    columns = {
        name: rows[column].to_numpy(zero_copy_only=False).astype(np.float64)
        for name, column in SCORES.items()
        if rows[column].null_count < rows.num_rows or column in ("best_r", "chosen_r")
    }

    def scores(mask: Bool) -> dict[str, Score]:
        """Score of every column over the rows of the mask."""
        return {name: score(values[mask]) for name, values in columns.items()}

    return Summary(
        n=rows.num_rows,
        n_refused=len(evaluation.metadata["refused"]),
        n_u_assumed=int((rows["n_u_assumed"].to_numpy() > 0).sum()),
        protocol=evaluation.metadata["protocol"],
        network=evaluation.metadata["network"],
        scores=scores(np.ones(rows.num_rows, dtype=bool)),
        by_class={name: scores(mask) for name, mask in parts.items() if mask.any()},
        by_special={name: scores(mask) for name, mask in numbers.items() if mask.any()},
        by_volume={name: scores(mask) for name, mask in volumes.items() if mask.any()},
    )


def training_volumes(network: Mapping[str, Any]) -> tuple[float, float] | None:
    """Volumes in Å³ that a network has seen in training, of its description; None without limits."""
    low, high = (network.get(f"volume_{end}_angstrom3") for end in ("min", "max"))
    return None if low is None or high is None else (float(low), float(high))


def _by_volume(volumes: F64, network: Mapping[str, Any]) -> dict[str, Bool]:
    limits = training_volumes(network)
    if limits is None:
        return {}
    inside = (volumes >= limits[0]) & (volumes <= limits[1])
    return {"trained": inside, "other": ~inside}


def score_text(score: Score | None) -> str:
    """`86.0 % (83.1–88.5), median 0.912 (0.905–0.921), N = 351`; a dash for none."""
    if score is None or score.solved is None or score.median is None:
        return "–"
    solved = f"{100 * score.solved:.1f} %"
    if score.solved_low is not None and score.solved_high is not None:
        solved += f" ({100 * score.solved_low:.1f}–{100 * score.solved_high:.1f})"
    median = f"median {score.median:.3f}"
    if score.median_low is not None and score.median_high is not None:
        median += f" ({score.median_low:.3f}–{score.median_high:.3f})"
    return f"{solved}, {median}, N = {score.n:,}".replace("-0.", "−0.")
