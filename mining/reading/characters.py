"""ASCII codes of the characters that the kernels compare bytes with."""

from __future__ import annotations

from typing import Final

TAB: Final = ord("\t")
LINE_FEED: Final = ord("\n")
RETURN: Final = ord("\r")
BLANK: Final = ord(" ")
QUOTE: Final = ord("'")
DOUBLE_QUOTE: Final = ord('"')
COMMENT: Final = ord("#")
DOLLAR: Final = ord("$")
OPEN: Final = ord("(")
CLOSE: Final = ord(")")
PLUS: Final = ord("+")
MINUS: Final = ord("-")
COMMA: Final = ord(",")
POINT: Final = ord(".")
SLASH: Final = ord("/")
SEMICOLON: Final = ord(";")
QUESTION_MARK: Final = ord("?")
UNDERSCORE: Final = ord("_")
ZERO: Final = ord("0")
NINE: Final = ord("9")
UPPER_A: Final = ord("A")
UPPER_D: Final = ord("D")
UPPER_Z: Final = ord("Z")
LOWER_A: Final = ord("a")
LOWER_D: Final = ord("d")
LOWER_E: Final = ord("e")
LOWER_Z: Final = ord("z")
DELETE: Final = 127
TO_LOWER: Final = 32
"""A letter's code with this bit set is that of its lower case."""
