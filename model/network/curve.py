"""The course of a training run, read from its `curve.csv`; evaluations keep it for the report."""

from __future__ import annotations

import csv
from pathlib import Path

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.model.network.card import ModelCard, SetScore
from xtalpriors.outputs import FileKind, text_with

__all__ = ["CURVE", "CURVE_FILE", "TrainingCurve", "read_curve"]

CURVE_FILE = "curve.csv"
"""Name of the file in the folder of a run; `journal.Journal` writes it."""
CURVE = FileKind("the curve of a training", text_with("step,structures,loss,learning_rate"))
_ALWAYS = ("structures", "loss", "learning_rate")


class TrainingCurve(Frozen):
    """Loss, learning rate and scores of a run against the structures seen, or why they are not known."""

    columns: dict[str, list[float | None]] = Field(default_factory=dict)
    """Columns of `curve.csv`: `structures`, `loss` (mean since the row before), `learning_rate`, and
    `SET_median_r`, `SET_mean_r` and `SET_solved` of each validation set, null where it was not scored."""
    sets: dict[str, SetScore] = Field(default_factory=dict)
    """The last score on each validation set, with its size and what trivial phases reach there."""
    missing: str | None = None
    """Why the curve is not known; None where it is."""


def read_curve(file: Path, card: ModelCard) -> TrainingCurve:
    """The curve of a run.

    A missing curve is not an error, since weights may have been copied without it. A file that cannot be
    read, or that belongs to another run than the card, counts as missing; `missing` says why.

    Parameters
    ----------
    file
        `curve.csv` in the run's folder.
    card
        Of the run's network.
    """
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened, strict=True))
        if any(None in row or None in row.values() for row in rows):
            raise ValueError("a row of another length")
        columns = {
            name: [float(row[name]) if row[name] else None for row in rows] for name in (rows or [{}])[0]
        }
    except FileNotFoundError:
        return TrainingCurve(missing=f"there is no {CURVE_FILE} beside its weights")
    except (OSError, csv.Error, ValueError, TypeError) as error:
        return TrainingCurve(missing=f"{CURVE_FILE} beside its weights is damaged ({type(error).__name__})")
    if not all(name in columns for name in _ALWAYS):
        return TrainingCurve(missing=f"{CURVE_FILE} beside its weights has no {', '.join(_ALWAYS)}")
    if not _is_of(columns, card):
        return TrainingCurve(missing=f"{CURVE_FILE} beside its weights is of another run")
    return TrainingCurve(columns=columns, sets=card.scores)


def _is_of(columns: dict[str, list[float | None]], card: ModelCard) -> bool:
    """Whether it ends with the structures and the scores of the card."""
    ends: dict[str, float] = {"structures": card.structures}
    for name, score in card.scores.items():
        ends |= {f"{name}_{key}": getattr(score, key) for key in ("median_r", "mean_r", "solved")}
    return all(name in columns and columns[name][-1] == end for name, end in ends.items())
