"""The code of the page on additions runs as it stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"


def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, use, prior, group = re.findall(
        r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "my_source", raising=False)
    (tmp_path / "my_source.py").write_text(source, encoding="utf-8")
    names: dict[str, Any] = {}
    exec(use, names)
    assert names["found"][0][:2] == ("mine:halite#halite", 225)
    exec(prior, names)
    assert 13.8 < names["prior"].parametric.quantile(0.5) < 16.0
    exec(group, names)
    assert names["group"].number == 14 and len(names["structures"]) == 3
    assert names["structures"].group.number == 33


def test_the_files_that_it_names_are_there() -> None:
    named = re.findall(r"`((?:priors|reports|mining)/[\w/.-]+)`", PAGE.read_text(encoding="utf-8"))
    root = PAGE.parents[1]
    assert len(named) > 10
    assert [name for name in named if "NAME" not in name and not (root / name).exists()] == []
