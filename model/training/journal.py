"""What a run writes while it goes: a JSON-lines log, and curves without times, equal for equal runs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import rounded
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.network.card import SOLVED
from xtalpriors.model.network.curve import CURVE, CURVE_FILE
from xtalpriors.outputs import FileKind, text_with
from xtalpriors.write_tables import write_csv

__all__ = ["LOG", "LOG_FILE", "Journal", "headline", "read_log"]

LOG_FILE = "log.jsonl"
LOG = FileKind("the log of a training", text_with('"event": "'))


class Journal:
    """Log and curves of a run.

    Parameters
    ----------
    folder
        Of the run: `log.jsonl` (one record a line, with times) and `curve.csv` (loss, rate and scores).
    write
        Whether this process writes them.
    step
        Steps done: later records, of a run that was stopped after its last checkpoint, are dropped.

    Attributes
    ----------
    headline
        Loss and scores so far in one line, for the progress bar.
    """

    def __init__(self, folder: Path, *, write: bool, step: int) -> None:
        self.folder, self._write = folder, write
        self._start = time.monotonic()
        kept = [record for record in read_log(folder / LOG_FILE) if record.get("step", 0) <= step]
        self.records: list[dict[str, Any]] = kept if step else []
        self.headline = headline(self.records)
        if write:
            text = "".join(json.dumps(record, sort_keys=True) + "\n" for record in self.records)
            write_text(folder / LOG_FILE, text, LOG)

    def add(self, event: str, step: int, structures: int, **values: Any) -> None:
        """Write one record."""
        record = {"event": event, "step": step, "structures": structures, **values}
        record["seconds"] = round(time.monotonic() - self._start, 3)
        record = rounded(record)
        self.records.append(record)
        if event in ("train", "validation"):
            self.headline = headline(self.records)
        if self._write:
            with (self.folder / LOG_FILE).open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, sort_keys=True) + "\n")

    def write_curves(self) -> None:
        """Write `curve.csv`: a row for each logged step."""
        if not self._write:
            return
        rows: dict[int, dict[str, Any]] = {}
        for record in self.records:
            if record["event"] not in ("train", "validation"):
                continue
            row = rows.setdefault(
                record["step"], {"step": record["step"], "structures": record["structures"]}
            )
            if record["event"] == "train":
                row |= {"loss": record["loss"], "learning_rate": record["learning_rate"]}
            else:
                name = record["set"]
                row |= {f"{name}_{key}": record[key] for key in ("median_r", "mean_r", "solved")}
        columns = list(dict.fromkeys(["step", "structures", "loss", "learning_rate", *_all_keys(rows)]))
        write_csv(self.folder / CURVE_FILE, (rows[step] for step in sorted(rows)), columns, CURVE)


def _all_keys(rows: dict[int, dict[str, Any]]) -> list[str]:
    return sorted({key for row in rows.values() for key in row})


def headline(records: Sequence[Mapping[str, Any]]) -> str:
    """`loss 0.604 → 0.434; median r 0.737, r ≥ 0.8 for 41.2 % (phases zero: 9.6 %)`.

    The loss is the mean of the first and of the last window that was logged, the score the last one, of each
    validation set by name if there are several; empty without either.
    """
    losses = [f"{record['loss']:.3f}" for record in records if record["event"] == "train"]
    parts = ["loss " + " → ".join([*losses[:1], *losses[1:][-1:]])] if losses else []
    scores = {record["set"]: record for record in records if record["event"] == "validation"}
    parts += [
        f"{f'{name}: ' if len(scores) > 1 else ''}median r {score['median_r']:.3f}, r ≥ {SOLVED:g} for "
        f"{100 * score['solved']:.1f} % (phases zero: {100 * score['zero_phases_solved']:.1f} %)"
        for name, score in scores.items()
    ]
    return "; ".join(parts)


def read_log(file: Path) -> list[dict[str, Any]]:
    """Records of a log; a last line that was cut short is left out.

    Raises
    ------
    XtalpriorsError
        A line before the last one is not JSON.
    """
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            record = None
        if isinstance(record, dict) and "event" in record:
            records.append(record)
        elif number < len(lines):
            raise XtalpriorsError(
                f"{file}, line {number} is no record: the log is damaged. Move it away and resume."
            )
    return records
