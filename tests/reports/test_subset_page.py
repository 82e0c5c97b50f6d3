"""The page of a single subset, and what is drawn by space group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.write import write_subset
from xtalpriors.reports.build import build_report
from xtalpriors.reports.figures import groups

MINE = SubsetDefinition(name="mine", description='Äpfel & <b>Birnen</b>, "P-1"', space_group_numbers=(2,))


def test_numbers_by_space_group() -> None:
    """Medians and shares over clusters: in no. 14 two entries of one cluster have one vote together."""
    entries = pd.DataFrame(
        {
            "sg_number": [14, 14, 14, 2],
            "cluster_id": ["a", "a", "b", "c"],
            "weight": [0.5, 0.5, 1.0, 1.0],
            "volume_angstrom3": [100.0, 100.0, 300.0, 50.0],
            "u_iso_mean_angstrom2": [0.01, 0.01, None, None],
            "n_special_positions": pd.array([0, 0, 3, None], dtype="Int64"),
        }
    )
    rows = {(r["number"], r["statistic"]): r for r in groups.data(entries).to_dict("records")}
    volume = rows[14, "volume_angstrom3"]
    assert [volume[key] for key in ("rank", "n", "low", "high")] == [1, 3, 100.0, 300.0]
    displacement = rows[14, "u_iso_mean_angstrom2"]
    assert (displacement["n"], displacement["value"]) == (2, 0.01)
    shares = [rows[14, f"special positions {k}"]["value"] for k in ("0", "1", "≥ 2")]
    assert shares == [0.5, 0.0, 0.5]
    # Wilson's interval of 1 of 2 clusters: 9.5 to 90.5 %.
    assert rows[14, "special positions 0"]["low"] == pytest.approx(0.0945, abs=5e-4)
    assert rows[2, "volume_angstrom3"]["symbol"] == "P-1"
    assert [key for number, key in rows if number == 2] == ["volume_angstrom3"], "the unknown has no row"


def test_groups_of_an_empty_subset() -> None:
    columns = ["sg_number", "cluster_id", "weight", *groups.SCALARS, "n_special_positions"]
    assert groups.data(pd.DataFrame(columns=columns)).empty


def test_a_subset_of_ones_own_has_the_same_page(
    tmp_path: Path, make_database: Callable[[Path, int], Path]
) -> None:
    """Three structures of P-1 in a database of twelve; the name of the folder and the description are odd."""
    database = make_database(tmp_path / "Gläser & <Söhne>" / "crystals.duckdb", 12)
    cubic = SubsetDefinition(name="cubic", space_group_numbers=(225,))
    files = [tmp_path / "file.parquet", tmp_path / "empty.parquet"]
    for definition, file in zip((MINE, cubic), files, strict=True):
        write_subset(database, definition, file)
    index = build_report(database, [], tmp_path / "r", subsets=files)
    page = (tmp_path / "r" / "subsets" / "mine" / "index.html").read_text(encoding="utf-8")
    text = index.read_text(encoding="utf-8")
    assert 'href="subsets/mine/index.html"' in text
    for one in (page, text):
        assert "<b>Birnen" not in one and "<Söhne>" not in one
        assert "Äpfel &amp; &lt;b&gt;Birnen" in one
    figures = {path.name for path in (tmp_path / "r" / "subsets" / "mine" / "figures").iterdir()}
    assert {"overview.svg", "groups.svg", "groups.csv", "packing.svg", "space_groups.csv"} <= figures
    assert "angle.svg" not in figures, "P-1 has no monoclinic angle"
    assert "3 entries of 3 different crystals" in page
    empty = (tmp_path / "r" / "subsets" / "cubic" / "index.html").read_text(encoding="utf-8")
    assert "0 entries of 0 different crystals" in empty and empty.count("<figure") == 1
    frame = pd.read_csv(tmp_path / "r" / "subsets" / "mine" / "figures" / "groups.csv")
    assert set(frame["number"]) == {2}
