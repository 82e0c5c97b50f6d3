"""The code blocks of the README and of docs/, and what can be asked of a command line without running it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from xtalpriors.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^```(\S*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One block, the page and line where it stands, and the comment above it."""

    place: str
    mark: str
    language: str
    text: str

    @property
    def runner(self) -> Path | None:
        """The file of tests that its mark names."""
        found = re.search(r"tests/[\w/]+\.py", self.mark)
        return ROOT / found[0] if found else None


def blocks(page: Path) -> Iterator[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        mark, language, code = found.groups(default="")
        yield Block(f"{page.relative_to(ROOT)}:{line}", mark, language.strip("{}"), code)


def commands(block: Block) -> Iterator[list[str]]:
    """Words of each command of a block for a shell; of a session (`console`) those after the prompt."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if block.language == "console" and not line.startswith("$ "):
            continue
        for part in line.removeprefix("$ ").split(" && "):
            if words := shlex.split(part, comments=True):
                yield words


def parse_command(words: list[str]) -> None:
    """Let the command of `xtalpriors` take its words, and do nothing; an option that it lacks is an error."""
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    command.make_context("xtalpriors", list(words))
