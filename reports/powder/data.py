"""An evaluation of networks for powder patterns as the page reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.powder.scoring.files import METRICS, SCORES, SECTIONS, read_rows
from xtalpriors.outputs import read_object

__all__ = ["PowderScores", "read_powder"]


@dataclass(frozen=True, slots=True)
class PowderScores:
    """Scores, sections through maps, and summaries by set.

    Attributes
    ----------
    scores
        A row for each crystal and method.
    sections
        Sections of a few maps; `crystal` names the crystal.
    sets
        Numbers of each set, as in `metrics.json`.
    points
        Edge of the maps.
    """

    scores: pd.DataFrame
    sections: pd.DataFrame
    sets: dict[str, Any]
    points: int

    @property
    def networks(self) -> list[str]:
        """Names of the networks."""
        return list(dict.fromkeys(self.scores.loc[self.scores["is_network"], "method"]))


def read_powder(folder: Path) -> PowderScores:
    """Read the folder of an evaluation.

    Raises
    ------
    XtalpriorsError
        A file is missing or is another one.
    """
    scores = read_rows(folder, SCORES).to_pandas()
    sections = read_rows(folder, SECTIONS).to_pandas()
    try:
        metrics = read_object(folder / METRICS)
        sets = {name: metrics["sets"][name] for name in scores["set"].unique()}
        points = int(metrics["points"])
    except (OSError, ValueError, KeyError) as error:
        raise XtalpriorsError(
            f"{folder / METRICS} cannot be read ({error}): make it anew with `xtalpriors powder evaluate`."
        ) from error
    crystals = scores.drop_duplicates(["set", "index"]).set_index(["set", "index"])
    keys = list(zip(sections["set"], sections["index"], strict=True))
    sections["crystal"] = [
        f"{crystals.loc[key, 'formula']}, no. {crystals.loc[key, 'space_group']}, set {key[0]}"
        for key in keys
    ]
    return PowderScores(scores, sections, sets, points)
