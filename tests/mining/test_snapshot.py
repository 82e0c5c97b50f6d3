"""What a database held, kept in a snapshot, and what became of each entry since."""

from __future__ import annotations

from pathlib import Path

import pytest
from tables import entry, make_database, rejection

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining import DEFAULT_SUBSETS
from xtalpriors.mining.subsets.snapshot import changes_since, read_snapshot, write_snapshot

SMALL, LARGE = DEFAULT_SUBSETS["p21c-10"], DEFAULT_SUBSETS["all-50"]
WIDE = (11.0, 6.0, 7.0, 90.0, 95.0, 90.0)


def hashed(digit: str) -> str:
    return digit * 32


def test_each_entry_that_is_not_as_it_was_has_its_reason(tmp_path: Path) -> None:
    before = [
        entry("cod:1.cif#a", content_hash=hashed("1")),
        entry("cod:2.cif#a", content_hash=hashed("2"), formula="C4 H8 N4"),
        entry("cod:3.cif#a", content_hash=hashed("3"), formula="C6"),
        entry("cod:4.cif#a", content_hash=hashed("4"), formula="C7"),
        entry("cod:5.cif#a", content_hash=hashed("5"), formula="C8"),
        entry("cod:6.cif#a", content_hash=hashed("6"), formula="C9", is_duplicate=True),
        entry("cod:8.cif#a", content_hash=hashed("8"), formula="C11"),
    ]
    after = [
        before[0],
        entry("cod:2.cif#a", content_hash=hashed("a"), formula="C4 H8 N4", is_retracted=True),
        entry("cod:3.cif#a", content_hash=hashed("b"), cell=WIDE, formula="C6 Cl2"),
        entry("cod:4.cif#a", content_hash=hashed("c"), formula="C7"),
        entry("cod:6.cif#a", content_hash=hashed("d"), formula="C9"),
        entry("cod:7.cif#a", content_hash=hashed("7"), formula="C10"),
        entry("cod:8.cif#other", content_hash=hashed("9"), formula="C12 Br"),
    ]
    first = make_database(tmp_path / "before.duckdb", before)
    second = make_database(
        tmp_path / "after.duckdb", after, rejections=[rejection("5.cif", "parse", "syntax")]
    )
    write_snapshot(first, [SMALL, LARGE], tmp_path / "entries.parquet")
    changes = changes_since(tmp_path / "entries.parquet", second, [SMALL, LARGE])
    rows = {row["entry_id"][4]: row for row in changes.entries.to_dicts()}
    assert {name: row["change"] for name, row in rows.items()} == {
        "2": "status",
        "3": "structure",
        "4": "content",
        "5": "left",
        "6": "status",
        "7": "entered",
        "8": "structure",
    }
    assert (rows["8"]["entry_id"], rows["8"]["entry_id_before"]) == ("cod:8.cif#other", "cod:8.cif#a")
    assert rows["3"]["entry_id_before"] is None
    sides = [
        (rows["3"][f"elements_{s}"], round(rows["3"][f"volume_angstrom3_{s}"])) for s in ("before", "now")
    ]
    assert [elements for elements, _ in sides] == ["C", "C Cl"] and sides[1][1] == 460, "11·6·7·sin 95°"
    assert rows["7"]["elements_before"] is None and rows["7"]["sg_number_now"] == 14
    assert rows["2"]["status_before"] == "" and rows["2"]["status_now"] == "retracted"
    assert rows["6"]["status_before"] == "duplicate" and rows["6"]["status_now"] == ""
    assert rows["5"]["reason"] == "parse: syntax" and rows["7"]["reason"] is None
    assert (rows["3"]["subsets_before"], rows["3"]["subsets_now"]) == ("all-50 p21c-10", "all-50")
    # 1 to 5 and 8 before; 2 retracted, 3 too long, 5 gone; 6 and 7 come; 4 and 8 have another content
    assert changes.subsets["p21c-10"] == (6, 2, 3, 2, 5)
    assert changes.subsets["p21c-10"].shared == pytest.approx(2 * 1 / 11)
    assert changes.shared("p21c-10", "all-50") == min(
        changes.subsets[name].shared for name in ("p21c-10", "all-50")
    )
    assert changes.shared("unknown") == 0
    same = changes_since(tmp_path / "entries.parquet", first, [SMALL])
    assert same.entries.is_empty() and same.shared("p21c-10") == 1 and same.digest == changes.digest


def test_files_that_are_no_snapshot(tmp_path: Path) -> None:
    database = make_database(tmp_path / "d.duckdb", [entry("cod:1.cif#a", content_hash=hashed("1"))])
    with pytest.raises(XtalpriorsError, match=r"There is no snapshot .*none"):
        read_snapshot(tmp_path / "none.parquet")
    (tmp_path / "notes.parquet").write_text("mine")
    with pytest.raises(XtalpriorsError, match=r"notes\.parquet is .*not a snapshot"):
        read_snapshot(tmp_path / "notes.parquet")
    with pytest.raises(UsageError, match="left as it is"):
        write_snapshot(database, [], tmp_path / "notes.parquet")
    assert (tmp_path / "notes.parquet").read_text() == "mine"
