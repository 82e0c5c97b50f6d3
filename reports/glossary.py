"""Words that a page uses in a sense of its own, each explained in the section where it first stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

__all__ = ["Glossary", "Word", "known_words"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its explanation.

    Attributes
    ----------
    key
        Name in links: the explanation has the id `word-{key}`.
    name
        The word as a heading of its explanation.
    pattern
        Regular expression of the forms in which it stands in a text.
    meaning
        One or two sentences.
    """

    key: str
    name: str
    pattern: str
    meaning: str


@cache
def known_words() -> tuple[Word, ...]:
    """The words of `templates/glossary.toml`; where two could stand at one place, the first is taken."""
    path = Path(__file__).resolve().parent / "templates" / "glossary.toml"
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(Word(key, **values) for key, values in read.items())


class Glossary:
    """The words of one page, in the order in which its text uses them.

    `link` turns the first use of each word into a link to its explanation, `explained` gives those that were
    met since it was last called. `subsets` are the names of subsets and what they are; with `tabled` the page
    has a table of them, whose rows have the ids, and they are not explained elsewhere.
    """

    def __init__(self, subsets: Mapping[str, str] | None = None, *, tabled: bool = False) -> None:
        names = sorted(subsets or {}, key=len, reverse=True)
        own = [
            Word(f"subset-{n}", n, rf"(?<![\w.-]){re.escape(n)}(?![\w-])", (subsets or {})[n]) for n in names
        ]
        self._tabled = {word.key for word in own} if tabled else set()
        self._words = [*own, *known_words()]
        groups = "|".join(f"(?P<w{k}>{word.pattern})" for k, word in enumerate(self._words))
        self._pattern = re.compile(groups)
        self._known: set[str] = set()
        self._fresh: list[Word] = []

    def link(self, text: str) -> Markup:
        """HTML of a text (escaped unless it is Markup) in which words that are new to the page are links."""
        if not text:
            return Markup("")
        parts = re.split(r"(<a\b.*?</a>|<[^>]*>)", str(escape(text)), flags=re.DOTALL)
        return Markup("".join(part if part.startswith("<") else self._linked(part) for part in parts))

    def meet(self, texts: Iterable[str]) -> None:
        """Note words of texts that cannot hold links, as those of tables."""
        for text in texts:
            for match in self._pattern.finditer(re.sub(r"<[^>]*>", " ", text)):
                self._first(match)

    def explained(self) -> list[Word]:
        """Words met since the last call, in the order of their first use."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def _linked(self, escaped: str) -> str:
        return self._pattern.sub(self._replacement, escaped)

    def _replacement(self, match: re.Match[str]) -> str:
        word = self._first(match)
        if word is None:
            return match[0]
        return f'<a class="word" href="#word-{word.key}" title="{escape(word.meaning)}">{match[0]}</a>'

    def _first(self, match: re.Match[str]) -> Word | None:
        """The word of a match if it was not met before."""
        word = self._words[int(str(match.lastgroup)[1:])]
        if word.key in self._known:
            return None
        self._known.add(word.key)
        if word.key not in self._tabled:
            self._fresh.append(word)
        return word
