"""The section on phasing: its figures' data are the evaluation's, its tables have the paper's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from xtalpriors.crystal.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.schema import arrow_schema
from xtalpriors.model.evaluation import COLUMNS, Evaluation, make_evaluation, write_evaluation
from xtalpriors.model.projection import PROJECTIONS, write_projections
from xtalpriors.model.reflections import Reflections
from xtalpriors.model.runs import Protocol
from xtalpriors.reports.phasing import phasing_section, read_phasing

N = 60


def _evaluation() -> Evaluation:
    rng = np.random.default_rng(2)
    rows = []
    for i in range(N):
        row: dict[str, object] = {}
        for column in COLUMNS:
            if pa.types.is_floating(column.type):
                row[column.name] = float(rng.uniform(0.2, 1.0))
            elif pa.types.is_integer(column.type):
                row[column.name] = int(rng.integers(0, 3))
            elif pa.types.is_string(column.type):
                row[column.name] = "made"
        kind = ("organic", "s-block", "d-block", "other")[i % 4]
        volume = float(rng.uniform(300, 3000))
        row |= {"entry_id": f"made:{i}#x{i}", "compound_class": kind, "volume_angstrom3": volume}
        row["best_r"] = 0.9 if i < 45 else None if i == 59 else 0.5
        rows.append(row)
    network = {"cell": "volume-lognormal", "filling": "molecules", "subsets": ["cod-p21c-20"]}
    return make_evaluation(rows, [], Reflections(SpaceGroup.from_number(14), 5), Protocol(), network)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("phasing") / "mol.parquet"
    evaluation = _evaluation()
    assert evaluation.rows.schema.names == arrow_schema(COLUMNS).names
    write_evaluation(evaluation, path)
    density = np.exp(-((np.arange(51) - 25) ** 2)[:, None] / 20 - (np.arange(51) - 10) ** 2 / 20)
    row = {
        "entry_id": "made:1#x1", "r": 0.9, "volume_angstrom3": 812.0, "step_angstrom": 0.2,
        "density": density.ravel().tolist(), "atom_element": ["Br"], "atom_x_angstrom": [-3.0],
        "atom_y_angstrom": [0.0],
    }  # fmt: skip
    write_projections(
        pa.Table.from_pylist([row], schema=PROJECTIONS), evaluation, path.with_name("mol.maps.parquet")
    )
    return path


def test_section(written: Path) -> None:
    section, tables = phasing_section([read_phasing(written)], "made")
    assert [figure.number for figure in section.figures] == ["Fig. 5", "Fig. 6", "Fig. 7"]
    frame = section.figures[0].frame
    best = frame[frame["run"] == "best run"]
    assert len(best) == N and (best["r"] >= 0.8).sum() == 45
    assert "r ≥ 0.8: 75 % of 60" in section.figures[0].svg, "what has no r is not solved"
    pixels = section.figures[2].frame
    highest = pixels.loc[pixels["density"].idxmax()]
    assert (highest["x"], highest["y"]) == (pytest.approx(-3.0), pytest.approx(0.0)), "x runs along a row"
    html = "".join(str(table.html) for table in section.tables)
    for text in (
        "86 %, 0.91 | 85 %, 0.91 | 78 %, 0.89",
        "60 %, 0.86",
        "75.0 % (62.8 to 84.2)",
        "phases all zero",
    ):
        assert text in html
    scores = tables["phasing"]
    assert scores.query("structures == 'all' and score == 'best'")["n"].tolist() == [N]
    assert scores.query("structures == 'class organic' and score == 'best'")["n"].tolist() == [15]


def test_same_bytes(written: Path) -> None:
    first, second = (phasing_section([read_phasing(written)], "made")[0] for _ in range(2))
    assert [f.svg for f in first.figures] == [f.svg for f in second.figures]


def test_no_maps_is_no_error_but_broken_ones_are(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "mol.parquet"
    path.write_bytes(written.read_bytes())
    section, _ = phasing_section([read_phasing(path)], "made")
    assert len(section.figures) == 2
    (tmp_path / "mol.maps.parquet").write_bytes(b"cut short")
    with pytest.raises(XtalpriorsError, match="holds no density projections"):
        read_phasing(path)
