"""The matrix of strategies: layout, ranking and its uncertainty, at the scale of a test."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest
from training import tiny

from xtalpriors.errors import UsageError
from xtalpriors.model.matrix import run_matrix
from xtalpriors.priors.bundle import published_bundle


@pytest.mark.slow
def test_strategies_are_trained_scored_and_ranked(tmp_path: Path) -> None:
    options = {
        "strategies": (("volume-lognormal", "molecules"), ("axes-uniform", "molecules")),
        "seeds": (1, 2),
    }
    result = run_matrix(tiny(), published_bundle(), tmp_path, device="cpu", **options)
    assert set(result.tables) == {"generated", "larger cells"} and result.n["generated"] == 32
    rows = json.loads((tmp_path / "matrix.json").read_text(encoding="utf-8"))["rows"]
    assert len(rows) == 4 == len((tmp_path / "matrix.csv").read_text(encoding="utf-8").splitlines()) - 1
    for name, table in result.tables.items():
        assert [len(cell.solved) for cell in table] == [2, 2]
        means = [statistics.fmean(cell.solved) for cell in table]
        assert means == sorted(means, reverse=True)
        assert sum(cell.first for cell in table) == pytest.approx(1.0)
        for row, cell in zip((r for r in rows if r["test_set"] == name), table, strict=True):
            assert row["solved"] == pytest.approx(statistics.fmean(cell.solved))
            deviation = abs(cell.solved[0] - cell.solved[1]) / 2  # s/√2 of two values
            assert row["solved_standard_error"] == pytest.approx(deviation, abs=1e-9)
    text = (tmp_path / "matrix.md").read_text(encoding="utf-8")
    assert "| | volume-lognormal | axes-uniform |" in text and "| molecules |" in text
    # what is finished is not trained again
    before = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/checkpoints/*")}
    again = run_matrix(tiny(), published_bundle(), tmp_path, device="cpu", **options)
    assert again.tables == result.tables and len(before) == 4
    assert before == {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/checkpoints/*")}


def test_nothing_to_compare(tmp_path: Path) -> None:
    for options in ({"seeds": ()}, {"seeds": (1, 1)}, {"strategies": (("axes-uniform", "random"),)}):
        with pytest.raises(UsageError, match="at least two strategies"):
            run_matrix(tiny(), published_bundle(), tmp_path, **options)
