"""A text by the scanner and by gemmi: the same blocks and the same values, where the scanner accepts it."""

from __future__ import annotations

import gemmi

from xtalpriors.mining.reading.scan import Scanned, scan
from xtalpriors.mining.reading.tags import PRESENCE, normal_tag
from xtalpriors.mining.reading.tokens import FIELDS, TAG_FIELD, TAG_INDEX

__all__ = ["assert_same", "scanned", "values_of_scan"]

Value = tuple[int, int, int, str, bool]


def scanned(data: bytes) -> Scanned:
    """What the scanner makes of a text."""
    return scan([data])


def values_of_scan(found: Scanned) -> list[Value]:
    t = found.tokens
    rows = zip(
        t.block.tolist(), t.tag.tolist(), t.row.tolist(), t.start, t.end, t.quoted.tolist(), strict=True
    )
    return sorted(
        (b, tag, row, _text(tag, t.buffer[i:j].tobytes().decode()), q) for b, tag, row, i, j, q in rows
    )


def values_of_gemmi(document: gemmi.cif.Document) -> list[Value]:
    """Wanted values by way of gemmi's own interface."""
    out: list[Value] = []
    for number, block in enumerate(document):
        for item in block:
            if item.pair is not None:
                columns = [(item.pair[0], [item.pair[1]])]
            elif item.loop is not None:
                width = len(item.loop.tags)
                columns = [(tag, item.loop.values[k::width]) for k, tag in enumerate(item.loop.tags)]
            else:
                continue
            for name, raws in columns:
                tag = TAG_INDEX.get(normal_tag(name), -1)
                if tag >= 0:
                    rows = raws[:1] if FIELDS[TAG_FIELD[tag]] in PRESENCE else raws
                    out += [(number, tag, row, *_unquoted(tag, raw)) for row, raw in enumerate(rows)]
    return sorted(out)


def _unquoted(tag: int, raw: str) -> tuple[str, bool]:
    quoted = raw[0] in "'\"" or (raw[0] == ";" and "\n" in raw)
    return _text(tag, gemmi.cif.as_string(raw) if quoted else raw), quoted


def _text(tag: int, text: str) -> str:
    return "" if FIELDS[TAG_FIELD[tag]] in PRESENCE else text.replace("\r\n", "\n")


def by_gemmi(data: bytes) -> gemmi.cif.Document | None:
    try:
        return gemmi.cif.read_string(data.decode(), check_level=1)
    except (ValueError, RuntimeError):
        return None


def assert_same(data: bytes) -> bool:
    """Whether the scanner accepts; it must then agree with gemmi."""
    found = scanned(data)
    if found.status[0] != 0:
        assert found.n_blocks[0] == found.tokens.tag.size == 0
        return False
    document = by_gemmi(data)
    assert document is not None, "the scanner accepts what gemmi refuses"
    names = [data[i:j].decode() for i, j in zip(found.name_start, found.name_end, strict=True)]
    assert names == [block.name for block in document]
    assert values_of_scan(found) == values_of_gemmi(document)
    return True
