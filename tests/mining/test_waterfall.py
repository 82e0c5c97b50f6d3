"""The waterfall: every file ends somewhere, and every loss has its reason."""

from __future__ import annotations

from pathlib import Path

from tables import entry, make_database, rejection

from xtalpriors.mining.subsets.waterfall import waterfall


def test_files_to_structures(tmp_path: Path) -> None:
    """Seven files: two unreadable, one of text only, one with a good and a bad block, one bad, two good."""
    entries = [
        entry("cod:1.cif#a"),
        entry("cod:2.cif#a"),
        entry("cod:2.cif#b", n_sites=0),
        entry("cod:3.cif#good"),
    ]
    rejections = [
        rejection("3.cif", "symmetry", "no-symmetry", "bad"),
        rejection("4.cif", "cell", "no-cell", "only"),
        rejection("5.cif", "parse", "syntax"),
        rejection("6.cif", "parse", "syntax"),
        rejection("7.cif", "sites", "no-structure"),
    ]
    frame = waterfall(make_database(tmp_path / "d.duckdb", entries, rejections=rejections))
    steps = frame.filter(frame["reason"].is_null()).select("step", "n", "lost").rows()
    assert steps == [
        ("files", 7, None),
        ("readable files", 5, 2),
        ("files about a structure", 4, 1),
        ("blocks", 6, None),
        ("structures", 4, 2),
        ("structures with coordinates", 3, 1),
    ]
    reasons = frame.filter(frame["reason"].is_not_null()).select("step", "reason", "reason_n").rows()
    assert reasons == [
        ("readable files", "parse: syntax", 2),
        ("files about a structure", "sites: no-structure", 1),
        ("structures", "cell: no-cell", 1),
        ("structures", "symmetry: no-symmetry", 1),
    ]


def test_an_empty_database(tmp_path: Path) -> None:
    frame = waterfall(make_database(tmp_path / "d.duckdb", []))
    assert frame["n"].to_list() == [0] * 6
