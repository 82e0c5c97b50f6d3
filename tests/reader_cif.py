"""Small CIFs for the tests of the reader, and the reader's answer as plain dictionaries."""

from __future__ import annotations

from typing import Any

from xtalpriors.mining.cif import extract

P21C = """loop_
_symmetry_equiv_pos_as_xyz
x,y,z
-x,-y,-z
-x,y+1/2,-z+1/2
x,-y+1/2,z+1/2
"""


def cell(
    a: object = 9, b: object = 10, c: object = 11, alpha: object = 90, beta: object = 90, gamma: object = 90
) -> str:
    """Items of a cell."""
    lengths = zip("abc", (a, b, c), strict=True)
    angles = zip(("alpha", "beta", "gamma"), (alpha, beta, gamma), strict=True)
    lines = [f"_cell_length_{n} {v}" for n, v in lengths] + [f"_cell_angle_{n} {v}" for n, v in angles]
    return "\n".join(lines) + "\n"


def atoms(*rows: str, columns: str = "") -> str:
    """An atom-site loop: label, type and coordinates, then further columns named without their prefix."""
    names = ["label", "type_symbol", "fract_x", "fract_y", "fract_z", *columns.split()]
    return "loop_\n" + "\n".join(f"_atom_site_{n}" for n in names) + "\n" + "\n".join(rows) + "\n"


def structure(*parts: str, name: str = "x", symmetry: str = "_symmetry_space_group_name_H-M 'P 1'\n") -> str:
    """A block with a symmetry and further parts; a cell is added where no part has one."""
    text = "".join(p if p.endswith("\n") else p + "\n" for p in parts)
    return f"data_{name}\n" + ("" if "_cell_length_a" in text else cell()) + symmetry + text


def read(text: str | bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Entries, sites and rejections of one file."""
    data = text.encode() if isinstance(text, str) else text
    found = extract("test", None, "original", [("file.cif", data)])
    return found.entries.to_pylist(), found.sites.to_pylist(), found.rejections.to_pylist()


def entry(text: str | bytes) -> dict[str, Any]:
    """The single entry of a file that must have one and no rejection."""
    entries, _, rejections = read(text)
    assert not rejections, rejections
    assert len(entries) == 1, [e["entry_id"] for e in entries]
    return entries[0]


def sites(text: str | bytes) -> list[dict[str, Any]]:
    """The sites of a file."""
    return read(text)[1]


def rejection(text: str | bytes) -> dict[str, Any]:
    """The single rejection of a file that must have no entry."""
    entries, _, rejections = read(text)
    assert not entries, [e["entry_id"] for e in entries]
    assert len(rejections) == 1, rejections
    return rejections[0]


def notes(found: dict[str, Any], *, volume: bool = False) -> set[str]:
    """The note codes of an entry; `volume-implausible` on demand, as few test cells fit their atoms."""
    codes = set((found["notes"] or "").split(";")) - {""}
    return codes if volume else codes - {"volume-implausible"}
