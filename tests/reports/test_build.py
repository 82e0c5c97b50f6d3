"""The report as a whole: what it holds, that it is self-contained, and that it is the same every time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.reports.build import build_report
from xtalpriors.written_folder import FILES_LIST


def test_report_without_bundles_is_self_contained(report: Path) -> None:
    page = (report / "index.html").read_text()
    assert not re.findall(r"""\s(?:src|srcset)=""", page)
    links = set(re.findall(r"""\shref=["'](?!#|https://doi\.org)([^"']*)""", page))
    assert links == {str(path.relative_to(report)) for path in report.rglob("*") if path.is_file()}
    assert not re.findall(r"url\((?!#)|@import", page)
    figures = sorted(p.stem for p in (report / "figures").glob("*.svg"))
    assert {"volume", "lengths", "angle", "packing", "displacement", "hydrogen"} <= set(figures)
    assert "elements" not in figures and "with element frequencies was given" in page, "no empty panel"
    assert {"special_positions", "space_groups", "waterfall", "rejections", "redeterminations"} <= set(
        figures
    )
    for name in figures:
        svg = (report / "figures" / f"{name}.svg").read_text()
        text = "".join(ElementTree.fromstring(svg).itertext())
        assert "database " in text and "N = " in text, name
        assert (report / "figures" / f"{name}.csv").is_file()
        assert f'id="{name}"' in page


def test_same_input_same_bytes(database: Path, report: Path, tmp_path: Path) -> None:
    build_report(database, [], tmp_path)
    contents = []
    for folder in (report, tmp_path):
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        contents.append({str(p.relative_to(folder)): p.read_bytes() for p in files})
    assert len(contents[0]) > 20
    assert contents[0] == contents[1]


def test_counts_are_those_of_the_database(report: Path) -> None:
    frame = pd.read_csv(report / "figures" / "waterfall.csv")
    assert frame["n"].iloc[0] == 200
    groups = pd.read_csv(report / "figures" / "space_groups.csv")
    assert set(groups["number"]) == {2, 14}
    assert groups["share"].sum() == pytest.approx(1)
    clusters = pd.read_csv(report / "figures" / "redeterminations.csv")
    # Every tenth structure is the twin of the one before: 20 pairs, 160 alone.
    assert (
        clusters.set_index("size")["entries"].to_dict() | {"1": 160, "2": 40}
        == clusters.set_index("size")["entries"].to_dict()
    )
    rejected = pd.read_csv(report / "figures" / "rejections.csv")
    assert rejected["n"].tolist() == [2, 1]


def test_a_corpus_without_p21c_still_gives_a_report(
    tmp_path: Path, make_database: Callable[[Path, int], Path]
) -> None:
    path = make_database(tmp_path / "lone" / "crystals.duckdb", 1)
    page = build_report(path, [], tmp_path / "r").read_text()
    assert "p21c-10 has no structure in this corpus" in page


def test_an_empty_database_is_an_error(tmp_path: Path, make_database: Callable[[Path, int], Path]) -> None:
    path = make_database(tmp_path / "empty.duckdb", 0)
    with pytest.raises(XtalpriorsError, match="holds no structure"):
        build_report(path, [], tmp_path / "r")
    with pytest.raises(XtalpriorsError, match=r"There is no database .*gone\.duckdb"):
        build_report(tmp_path / "gone.duckdb", [], tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_report_that_cannot_be_written_leaves_the_former_one(database: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(XtalpriorsError, match="cannot be written"):
        build_report(database, [], blocked / "report")
    assert blocked.read_text() == "in the way"


def test_bytes_do_not_depend_on_the_hash_seed_or_the_locale(
    database: Path, report: Path, tmp_path: Path
) -> None:
    script = "import sys; from pathlib import Path; from xtalpriors.reports.build import build_report; "
    script += "build_report(Path(sys.argv[1]), [], Path(sys.argv[2]))"
    environment = os.environ | {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC+7"}
    subprocess.run([sys.executable, "-c", script, database, tmp_path], check=True, env=environment)
    assert (tmp_path / "index.html").read_bytes() == (report / "index.html").read_bytes()


def test_a_second_report_replaces_its_own_files_and_keeps_all_others(database: Path, tmp_path: Path) -> None:
    build_report(database, [], tmp_path)
    notes = {"figures/mine.svg": "drawn by hand", "evaluation.json": "{}"}
    for name, text in notes.items():
        (tmp_path / name).write_text(text)
    listed = json.loads((tmp_path / FILES_LIST).read_text())
    former = tmp_path / "figures" / "of-an-older-report.csv"
    former.write_text("x\n1\n")
    listed["files"]["figures/of-an-older-report.csv"] = blake2b(b"x\n1\n", digest_size=16).hexdigest()
    (tmp_path / FILES_LIST).write_text(json.dumps(listed))
    build_report(database, [], tmp_path)
    assert not former.exists()
    assert {name: (tmp_path / name).read_text() for name in notes} == notes
    found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert found - set(notes) - {FILES_LIST} == set(json.loads((tmp_path / FILES_LIST).read_text())["files"])

    (tmp_path / "figures" / "volume.csv").write_text("numbers corrected by hand\n")
    with pytest.raises(UsageError, match=r"volume\.csv was changed after xtalpriors wrote it"):
        build_report(database, [], tmp_path)
    assert (tmp_path / "figures" / "volume.csv").read_text() == "numbers corrected by hand\n"


def test_a_report_of_a_version_without_a_list_is_known_by_its_page(database: Path, tmp_path: Path) -> None:
    page = "<title>AMCSD – crystal statistics and priors</title><a href='x'></a>"
    links = '<a href="figures/volume.svg">SVG</a><a href="figures/old.csv">data</a>'
    (tmp_path / "index.html").write_text(page + links, encoding="utf-8")
    (tmp_path / "figures").mkdir()
    for name in ("volume.svg", "old.csv", "mine.csv"):
        (tmp_path / "figures" / name).write_text(name)
    build_report(database, [], tmp_path)
    assert "<svg" in (tmp_path / "figures" / "volume.svg").read_text()
    assert not (tmp_path / "figures" / "old.csv").exists()
    assert (tmp_path / "figures" / "mine.csv").read_text() == "mine.csv"


def test_a_figure_of_somebody_else_is_refused_and_the_report_stays(database: Path, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "volume.csv").write_text("of a paper")
    with pytest.raises(UsageError, match=r"figures/volume\.csv is there already.*left as it is"):
        build_report(database, [], tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["figures", "volume.csv"]
