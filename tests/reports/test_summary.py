"""`xtalpriors summary`: a folder, an archive or a CIF as a table and a page, by hand; bad input."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from math import radians, sin
from pathlib import Path

import pytest
from phasing_crystals import cif_text
from reader_cif import atoms, cell, structure

from xtalpriors.cli import run

SALT = structure(  # caesium chloride with a = 4 Å
    cell(4, 4, 4),
    atoms("Cs1 Cs 0 0 0 0.02", "Cl1 Cl 0.5 0.5 0.5 0.04", columns="U_iso_or_equiv"),
    name="salt",
    symmetry="_symmetry_space_group_name_H-M 'P m -3 m'\n",
)
BROKEN = "data_broken\n_cell_length_a 5\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield


def _folder() -> Path:
    """Two crystals, one of them twice, and a file without a structure; names with blanks and umlauts."""
    folder = Path("Meine Kristalle <ä>")
    folder.mkdir()
    (folder / "Größe 1.cif").write_text(cif_text(name="one"), encoding="utf-8")
    (folder / "Größe 2.cif").write_text(cif_text("P 1 21/n 1", name="two"), encoding="utf-8")
    (folder / "salt.cif").write_text(SALT, encoding="utf-8")
    (folder / "kaputt.cif").write_text(BROKEN, encoding="utf-8")
    return folder


def _rows(text: str) -> dict[str, list[str]]:
    """Cells of the lines between the rules, and of the one below, by their first word."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("─"))
    table = [line.split("  ") for line in lines[first:] if line and not line.startswith("─")]
    return {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in table if len(row) > 4}


def test_a_folder_by_space_group(capsys: pytest.CaptureFixture[str]) -> None:
    """V = a b c sin β; the cell has 4 each of Cl, O, H, 8 C, 3 N (occupancy ¾), and 2 Fe at a centre.

    U_iso is the mean of the five known ones of Cl, O, C, C and Fe. The two P2₁/c entries are one crystal. How
    much hydrogen a file without a formula leaves out is not known.
    """
    folder = _folder()
    assert run(["summary", str(folder), "--by", "space-group", "--workers", "1"]) == 0
    text = capsys.readouterr().out
    volume = 5.91 * 7.23 * 8.64 * sin(radians(98.7))
    rows = _rows(text)
    assert list(rows) == ["P2₁/c (14)", "Pm-3m (221)", "all"]
    n, v, packing, first, middle, last, u_iso, hydrogen, special = rows["P2₁/c (14)"]
    assert (n, first, middle) == ("2", "5.91", "7.23") and hydrogen == "16" and special == "100"
    assert v == f"{volume:.0f}" and packing == f"{volume / 21:.1f}"
    assert u_iso == f"{(0.031 + 0.042 + 0.036 + 0.028 + 0.019) / 5:.4f}"
    assert 8.64 < float(last) < 10  # the median of c in P2₁/c and the longer one of P2₁/n
    assert rows["Pm-3m (221)"] == ["1", "64", "32.0", "4.00", "4.00", "4.00", "0.0300", "–", "100"]
    assert rows["all"][0] == "3"
    assert f"{folder}: 3 structures in 4 files, 2 of them different" in text
    assert "kaputt.cif, block broken: cell-incomplete." in text
    assert max(map(len, text.splitlines())) <= 100
    assert [p.name for p in Path().iterdir()] == [folder.name], "nothing is left behind"


class _Page(HTMLParser):
    """Texts of the cells of each table, and what a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[str]] = []
        self.fetched: list[str] = []
        self.cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        if tag in ("td", "th"):
            self.cell = True
            self.tables[-1].append("")
        self.fetched += [v for k, v in attrs if k in ("src", "href") and v and not v.startswith("#")]

    def handle_endtag(self, tag: str) -> None:
        self.cell = self.cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.cell:
            self.tables[-1][-1] += data


def test_the_page_has_it_all_and_is_complete_in_itself(capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder()
    for name in ("a.html", "b.html"):
        assert run(["summary", str(folder), "--by", "class", "--output", name, "--workers", "1"]) == 0
    assert "page: b.html" in capsys.readouterr().out
    text = Path("a.html").read_text(encoding="utf-8")
    assert text == Path("b.html").read_text(encoding="utf-8")
    page = _Page(text)
    assert page.fetched == [] and "Histograms are drawn of 10 structures or more; here are 3." in text
    groups, quantities, structures, not_read = page.tables
    assert groups[0] == "Class" and {"metal-organic", "inorganic", "all"} <= set(groups)
    at = quantities.index("V / Å³")
    assert quantities[at + 1] == "3" and quantities[at + 2] == "–", "no quartiles of three values"
    assert {"Größe 1.cif", "Größe 2.cif", "salt.cif"} <= set(structures)
    assert not_read[4:] == ["kaputt.cif", "broken", "cell-incomplete", "_cell_length_b is missing"]
    assert "Meine Kristalle &lt;ä&gt;" in text and "<ä>" not in text
    assert sorted(p.name for p in Path().iterdir()) == [folder.name, "a.html", "b.html"]


def test_quartiles_and_histograms_of_twelve_structures() -> None:
    """a = 4.0, 4.1, … 5.1 Å: the median is 4.55 Å, the quartiles are 4.275 and 4.825 Å."""
    Path("salts").mkdir()
    for k in range(12):
        text = SALT.replace(" 4\n", f" {4 + 0.1 * k:.1f}\n")
        Path(f"salts/{k}.cif").write_text(text, encoding="utf-8")
    assert run(["summary", "salts", "--output", "a.html", "--workers", "1"]) == 0
    text = Path("a.html").read_text(encoding="utf-8")
    (quantities, _) = _Page(text).tables
    at = quantities.index("a₁ / Å")
    assert [float(x) for x in quantities[at + 1 : at + 5]] == pytest.approx(
        [12, 4.275, 4.55, 4.825], abs=6e-3
    )
    assert "<svg" in text


def test_an_archive_and_a_cif_say_what_the_folder_says(capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder()
    with zipfile.ZipFile("all.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    tables = []
    for source in (str(folder), "all.zip", str(folder / "salt.cif")):
        assert run(["summary", source, "--workers", "1"]) == 0
        tables.append(_rows(capsys.readouterr().out))
    assert tables[0] == tables[1] and tables[2]["all"][:2] == ["1", "64"]


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("empty", 1, "holds no CIF"),
        ("none", 2, "There is no file or folder 'none'"),
        ("notes.txt", 2, "notes.txt is no archive that can be read"),
        ("notes.cif", 1, "no structure in the 1 file there. notes.cif: syntax"),
        ("broken", 1, "kaputt.cif: cell-incomplete (_cell_length_b is missing)"),
    ],
)
def test_what_holds_no_structure(
    source: str, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("empty", "broken"):
        Path(name).mkdir()
    Path("broken/kaputt.cif").write_text(BROKEN)
    for name in ("notes.txt", "notes.cif"):
        Path(name).write_text("a shopping list\n")
    assert run(["summary", source, "--output", "page.html"]) == status
    message = " ".join(capsys.readouterr().err.split())
    assert words in message and "Traceback" not in message, message
    assert not Path("page.html").exists()


def test_a_page_replaces_a_page_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    Path("salt.cif").write_text(SALT, encoding="utf-8")
    command = ["summary", "salt.cif", "--workers", "1", "--output"]
    assert run([*command, "page.html"]) == 0
    assert run([*command, "page.html"]) == 0
    Path("notes.html").write_text("<!doctype html>my notes", encoding="utf-8")
    for name in ("notes.html", "salt.cif"):
        before = Path(name).read_bytes()
        assert run([*command, name]) == 2
        assert f"{name} is there already" in " ".join(capsys.readouterr().err.split())
        assert Path(name).read_bytes() == before


def test_an_unknown_grouping_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["summary", ".", "--by", "colour"]) == 2
    assert "space-group, crystal-system or class, not 'colour'" in " ".join(capsys.readouterr().err.split())


def test_more_failures_than_are_shown_are_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("cifs")
    folder.mkdir()
    for i in range(12):
        (folder / f"broken-{i:02d}.cif").write_text(BROKEN, encoding="utf-8")
    (folder / "salt.cif").write_text(SALT, encoding="utf-8")
    assert run(["summary", "cifs", "--workers", "1"]) == 0
    assert "… and 2 more, which a page lists: --output page.html" in capsys.readouterr().out
    assert run(["summary", "cifs", "--output", "found.html", "--workers", "1"]) == 0
    assert "… and 2 more, which found.html lists" in capsys.readouterr().out
    assert "broken-11.cif" in Path("found.html").read_text(encoding="utf-8")
