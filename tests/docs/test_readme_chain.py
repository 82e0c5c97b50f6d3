"""The README's commands on one's own files, run as they are written, on a folder of CIFs."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import duckdb
import gemmi
import pytest
from corpus import corpus_dir
from doc_blocks import PAGES, blocks

from xtalpriors.cli import run
from xtalpriors.generator import configure, generate_to
from xtalpriors.priors import published_bundle

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NAMED = {
    "data/amcsd/crystals.duckdb": "my.duckdb",
    "priors/fitted/amcsd/p21c-10.json": "all-50.json",
    "data/models/run": "network",
    "data/amcsd/subsets/p21c-20.parquet": "all-50.parquet",
    "data/amcsd/subsets/p21c-20.sites.parquet": "all-50.sites.parquet",
    "data/cod/subsets/p21c-20.parquet": "all-50.parquet",
    "data/cod/subsets/p21c-20.sites.parquet": "all-50.sites.parquet",
    "compound.cif": "my-cifs/crystal.cif",
}
"""What pages call the files that the chain makes."""
SHORTER = {'"cubic", 3000': '"cubic", 30'}
QUICK = ["structures=64", "validation.count=32", "optimiser.batch_size=16", "threads=1", "data_threads=1"]


def _block(name: str, page: str = "README.md") -> list[list[str]]:
    """The words of each command of a block of a page, without `xtalpriors`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name}: [^\n]*-->\n```sh\n(.*?)```", text, flags=re.DOTALL)
    assert found, f"{page} has no block {name}"
    commands = [shlex.split(line, comments=True) for line in found[1].splitlines()]
    assert commands and all(words[0] == "xtalpriors" for words in commands)
    return [words[1:] for words in commands]


def _python_of_the_pages() -> None:
    """Run each block without a mark, one page after the other, on the files that the chain has made."""
    for name, made in NAMED.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).symlink_to(Path(made).resolve())
    for page in PAGES:
        for block in blocks(page):
            if block.language == "python" and not block.mark:
                text = block.text
                for long, short in SHORTER.items():
                    text = text.replace(long, short)
                exec(compile(text, block.place, "exec"), {})


def _made(folder: Path) -> None:
    """120 artificial crystals of the paper's priors, which stand for a folder of one's own."""
    config = configure(cell="volume-lognormal", filling="molecules")
    generate_to(folder, published_bundle(), config, seed=3, count=120, file_format="cif")
    (folder / "run.json").unlink()
    (folder / f"{0:012d}.cif").rename(folder / "crystal.cif")


def test_the_chain_and_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _made(Path("my-cifs"))
    for words in _block("chain"):
        assert run(words) == 0, f"{words}: {capsys.readouterr().err}"
    with duckdb.connect("my.duckdb", read_only=True) as connection:
        found = connection.sql("SELECT count(*), min(sg_number), max(sg_number) FROM entry").fetchall()
    assert found == [(120, 14, 14)]
    mu = json.loads(Path("all-50.json").read_text(encoding="utf-8"))["priors"]["cell_volume"]["parametric"][
        "mu"
    ]
    assert mu["low"] < 6.04 < mu["high"], "the log-normal of the paper, through CIFs and back"
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert "<svg" in page and not re.search(r'(src|href)="http[^"]*\.(js|css|svg|png)"', page)
    released, *update = _block("update", "docs/updating.md")
    assert run(released) == 0, capsys.readouterr().err
    for file in sorted(Path("my-cifs").glob("*.cif"))[:3]:
        file.unlink()
    for words in update:
        assert run(words) == 0, f"{words}: {capsys.readouterr().err}"
    assert "0 entries entered and 3 left" in Path("report/index.html").read_text(encoding="utf-8")
    for words in _block("network"):
        quick = [word for option in QUICK for word in ("--set", option)] if words[0] == "train" else []
        assert run([*words, *quick]) == 0, f"{words}: {capsys.readouterr().err}"
    phases = gemmi.cif.read("crystal.phases.cif").sole_block().find_values("_refln_phase_calc")
    assert {"0", "180"} <= set(phases) and Path("crystal.ccp4").stat().st_size > 1000
    _python_of_the_pages()
    assert Path("compound.ccp4").is_file() and Path("scores/run.json").is_file()


def test_the_chain_on_entries_of_the_cod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(corpus_dir("cod").rglob("*.cif"))[::3]
    monkeypatch.chdir(tmp_path)
    Path("my-cifs").mkdir()
    for file in files:
        (Path("my-cifs") / file.name).symlink_to(file)
    for words in _block("chain"):
        assert run(words) == 0, f"{words}: {capsys.readouterr().err}"
    text = capsys.readouterr().out
    assert "priors digest" in text and Path("report/index.html").is_file()
