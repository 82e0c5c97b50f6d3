"""Numbers with their nouns in the sentences of messages and reports."""

from __future__ import annotations

__all__ = ["counted", "plural"]


def counted(n: float, one: str, several: str | None = None) -> str:
    """A whole number with its noun, in the singular for 1.

    >>> counted(1, "structure"), counted(2000, "structure"), counted(0, "entry")
    ('1 structure', '2,000 structures', '0 entries')

    Parameters
    ----------
    n
        The number; a float is rounded.
    one
        The noun in the singular, with what stands before it: `unique reflection`.
    several
        Its plural; null: by the rules of English spelling (`plural`).
    """
    number = round(n)
    return f"{number:,} {one if number == 1 else several or plural(one)}"


def plural(noun: str) -> str:
    """Plural of a noun by the rules of English spelling: structures, entries, boxes."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
