"""A folder with whatever the commands read, made once and copied for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from phasing_crystals import P21C, card_of, cif_text, untrained
from training import TINY

from xtalpriors.cli import run
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.weights import save_model
from xtalpriors.paths import published

TEN = Reflections(P21C, 10)
LINES = (
    "mine --source cod:tree --workers 1 --database crystals.duckdb",
    "subset --database crystals.duckdb --name p21c-10 --output p21c-10.parquet",
    "fit --subset p21c-10.parquet --bootstrap 100 --output p21c-10.json",
)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whatever the commands read, by the names that their lines above have."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "tree").mkdir()
    for number, setting in enumerate(("P 1 21/c 1", "P 1 21/n 1", "P 1 21/c 1")):
        text = cif_text(setting, name=f"made{number}").replace("0.2134", f"0.2{number}34")
        (folder / "tree" / f"{number}.cif").write_text(text)
    shutil.copy(published(), folder / "bundle.json")
    save_model(folder / "network", untrained(TEN), card_of(TEN))
    (folder / "tiny.yaml").write_text(TINY, encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for line in LINES:
            assert run(line.split()) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def here(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An own copy of the inputs, as the current folder."""
    folder = tmp_path / "my crystals – Größe"
    shutil.copytree(inputs, folder)
    monkeypatch.chdir(folder)
    yield folder
