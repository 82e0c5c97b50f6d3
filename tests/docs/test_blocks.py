"""Every code block of the README and of docs/ runs here or elsewhere, or says above it why it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT, Block, blocks, commands, parse_command

from xtalpriors.params import load_params

BLOCKS = [block for page in PAGES for block in blocks(page)]
SHELL = ("sh", "console")
RESULTS = ("text", "toctree", "literalinclude")
MAKE = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_each_language_is_looked_after() -> None:
    known = {"python", "yaml", "sql", *SHELL, *RESULTS}
    assert [b.place for b in BLOCKS if b.language not in known] == []
    assert [b.place for b in BLOCKS if b.language == "text" and "xtalpriors " in b.text] == []
    assert len(BLOCKS) > 60


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.mark], ids=lambda b: b.place)
def test_a_mark_names_the_test_or_the_reason(block: Block) -> None:
    if block.runner is None:
        assert re.match(r"not run: .{20,}", block.mark), block.mark
    else:
        assert block.runner.is_file()
        names = (Path(block.place).name.partition(":")[0], "README.md")
        if not block.mark.startswith("not run"):
            assert any(name in block.runner.read_text(encoding="utf-8") for name in names)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language in SHELL], ids=lambda b: b.place)
def test_commands_are_taken(block: Block) -> None:
    """What they do is tested with each command; here, that none is told what it does not know."""
    for words in commands(block):
        if "xtalpriors" in words:
            parse_command(words[words.index("xtalpriors") + 1 :])
        elif words[0] == "dvc":
            pytest.importorskip("dvc.cli.parser").get_main_parser().parse_args(words[1:])
        elif words[0] == "make":
            assert words[1] in MAKE
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file()
        else:
            assert words[0] in ("pip", "source", "cd", "cp", "shelxl", "duckdb"), words


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "yaml"], ids=lambda b: b.place)
def test_parts_of_params_are_taken(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(block.text, encoding="utf-8")
    params = load_params(path)
    assert params.corpora or params.subsets
