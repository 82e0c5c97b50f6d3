"""The README's Python runs as it stands, and the files that it names are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert blocks
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert len(names["structures"]) == 1000
    assert tuple(names["batch"].amplitudes.shape) == (256, 21, 11, 11)


@pytest.mark.parametrize("folder", re.findall(r"^\| `([a-z]+/)`", TEXT, flags=re.MULTILINE))
def test_folders_exist(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_images_and_links_exist() -> None:
    files = re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)
    assert files
    assert [f for f in files if not (ROOT / f).exists()] == []
