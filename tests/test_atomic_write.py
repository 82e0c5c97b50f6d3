"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xtalpriors.atomic_write import replacing, write_text
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.outputs import FileKind, text_with

NOTE = FileKind("a note", text_with("note: "))


def test_the_folder_is_made_and_the_mask_holds(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "c.txt"
    before = os.umask(0o027)
    try:
        write_text(file, "å\n", NOTE)
    finally:
        os.umask(before)
    assert file.read_bytes() == "å\n".encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in file.parent.iterdir()] == ["c.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_fails_leaves_the_former_file_and_nothing_else(
    error: type[BaseException], tmp_path: Path
) -> None:
    file = tmp_path / "c.txt"
    write_text(file, "note: former", NOTE)
    with pytest.raises(error), replacing(file, NOTE) as part:
        part.write_text("half of the n")
        raise error
    assert file.read_text() == "note: former"
    assert [p.name for p in tmp_path.iterdir()] == ["c.txt"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        XtalpriorsError, match=r"file/x/y.txt cannot be written: .*file is a file and no folder"
    ):
        write_text(tmp_path / "file" / "x" / "y.txt", "", NOTE)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"folder is a folder, and a note is a file"):
        write_text(tmp_path / "folder", "", NOTE)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
