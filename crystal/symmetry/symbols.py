"""Hermann–Mauguin and Hall symbols as files spell them, and the setting in gemmi's table that each means.

gemmi knows some six hundred settings by name. Here the spelling is brought to one that it knows: `P 2_1/c`,
`P2~1~/c`, `P2₁/c`, `P2<sub>1</sub>/c`, `Fm\\bar{3}m`, `P2(1)/n`, `P 12(1)/c1`, `R -3 m H`, `F d -3 m S`,
`I 4/m -3 2/m`, `P 42/n (origin choice 2)`. Markup, brackets and remarks are told apart in `spelling`, and
groups are made of the settings in `space_group`.
"""

from __future__ import annotations

import re
from functools import lru_cache

import gemmi

from xtalpriors.crystal.symmetry.spelling import TYPESET, readings_of, without_markup

__all__ = [
    "axes_of",
    "has_explicit_setting",
    "has_other_unique_axis",
    "lattice_letter",
    "names_other_axes",
    "number_of_hm",
    "on_cell_axes",
    "setting_of_hm",
    "setting_of_number",
    "tidy_hall",
]

ANGLE_TOLERANCE_DEGREE = 0.02
"""Angles closer than this are the same: enough for cells given with two decimals."""


def axes_of(angles_degree: tuple[float, float, float] | None) -> str:
    """What the angles of a cell say of its axes.

    Returns
    -------
    `R` rhombohedral (three equal angles that are not 90°), `H` hexagonal (90, 90, 120), `o` three right
    angles, `a`, `b` or `c` where only that angle is not 90°, or the empty string where they say nothing.
    """
    if angles_degree is None:
        return ""
    alpha, beta, gamma = angles_degree
    same = ANGLE_TOLERANCE_DEGREE
    oblique = [not abs(x - 90.0) <= same for x in (alpha, beta, gamma)]
    if all(oblique):
        return "R" if abs(alpha - beta) <= same and abs(beta - gamma) <= same else ""
    if oblique == [False, False, True] and abs(gamma - 120.0) <= same:
        return "H"
    if not any(oblique):
        return "o"
    return "abc"[oblique.index(True)] if sum(oblique) == 1 else ""


def setting_of_hm(symbol: str, axes: str, origin: str = "2") -> gemmi.SpaceGroup | None:
    """gemmi's setting of a Hermann–Mauguin symbol, None where it is unknown or leaves the setting open.

    Parameters
    ----------
    symbol
        In any usual spelling. Case matters only as in print: a lower-case lattice letter is put right.
    axes
        From `axes_of`: it decides between hexagonal and rhombohedral axes, whatever suffix the symbol has,
        and between unique axes where a monoclinic symbol is short (`P 21/c`). Three right angles cannot be
        those of hexagonal axes.
    origin
        `1` or `2`, the origin choice of a symbol that names none.
    """
    if "%var" in symbol:  # AMCSD's mark of a setting that only the operators describe
        return None
    found = _setting(symbol, axes)
    if found is None or found.ext not in ("1", "2") or found.ext == origin or has_explicit_setting(symbol):
        return found
    return gemmi.find_spacegroup_by_name(f"{found.hm}:{origin}") or found


def setting_of_number(number: int, axes: str = "", code: str | None = None) -> gemmi.SpaceGroup | None:
    """gemmi's setting of a number, None where there is no such number.

    Parameters
    ----------
    axes
        From `axes_of`: rhombohedral axes, and the unique axis of a monoclinic cell; else the setting is the
        reference one.
    code
        `_space_group_IT_coordinate_system_code` (`b1`, `cab`, `2`, `h`); one that the number does not have
        says nothing.
    """
    if not 1 <= number <= 230:
        return None
    if code and (found := _coded(number, code)) is not None:
        return found
    reference = gemmi.get_spacegroup_reference_setting(number)
    return on_cell_axes(reference, axes) or reference


def on_cell_axes(setting: gemmi.SpaceGroup, axes: str) -> gemmi.SpaceGroup | None:
    """The same group on the axes that the cell has; None where the cell allows the setting as it is.

    A group on hexagonal axes goes to rhombohedral ones and back. A monoclinic group keeps its cell choice
    on the other unique axis: P 1 21/n 1 with an oblique γ is P 1 1 21/n.
    """
    if setting.ext in ("H", "R"):
        wanted = {"H": "H", "R": "R", "o": "R"}.get(axes, setting.ext)
        return None if wanted == setting.ext else gemmi.find_spacegroup_by_name(f"{setting.hm}:{wanted}")
    unique = setting.monoclinic_unique_axis()
    if unique in ("\0", "", axes) or axes not in ("a", "b", "c"):
        return None
    return _qualified(setting.number, setting.qualifier.replace(unique, axes), setting.ext)


def _coded(number: int, code: str) -> gemmi.SpaceGroup | None:
    """Setting of a number by the code of the core dictionary: `2`, `h`, `b1`, `-c3`, `2cab`."""
    text = code.strip().strip("'\"").lower()
    ext, axes = (text[0].upper(), text[1:]) if text[:1] in ("1", "2", "h", "r") else ("\0", text)
    axes = "" if axes == "abc" else axes
    return _qualified(number, axes, ext)


def _qualified(number: int, qualifier: str, ext: str) -> gemmi.SpaceGroup | None:
    """Setting of a number by gemmi's words for axes (`b1`, `cab`) and origin."""
    for setting in gemmi.spacegroup_table():
        if (setting.number, setting.qualifier, setting.ext) == (number, qualifier, ext):
            return setting
    return None


def lattice_letter(symbol: str) -> str:
    """Lattice letter of a text that looks like a Hermann–Mauguin symbol, known or not; else empty.

    >>> lattice_letter("F 1 2/d 1"), lattice_letter("cubic")
    ('F', '')
    """
    plain = without_markup(symbol)
    spelling = next((text for text, _ in readings_of(plain)), plain)
    found = re.match(r"([PABCIFRH])[-\s\d/abcdemn():]+$", _tidy(spelling))
    return found[1] if found else ""


def number_of_hm(symbol: str) -> int | None:
    """Number of the group that a symbol names, also where its setting cannot be told."""
    setting = _setting(symbol.split("%")[0], "")
    return None if setting is None else int(setting.number)


def has_explicit_setting(symbol: str) -> bool:
    """The symbol says its origin choice or its axes."""
    return bool(_split_suffix(_tidy(symbol))[1])


def names_other_axes(symbol: str, setting: str | None) -> bool:
    """The symbol says hexagonal axes and gemmi's name of a setting rhombohedral ones, or the reverse."""
    has = (setting or "").rpartition(":")[2]
    return {has, _split_suffix(_tidy(symbol))[1]} == {"H", "R"}


def has_other_unique_axis(symbol: str, setting: str | None) -> bool:
    """A short monoclinic symbol (`P 21/c`), which means the axis b, has another one in gemmi's setting.

    `P 21/b` and the like, which are short for c, mean that.
    """
    moved = gemmi.find_spacegroup_by_name(setting) if setting else None
    unique = "" if moved is None else moved.monoclinic_unique_axis()
    meant = _setting(symbol, "") if unique in ("a", "b", "c") else None
    return meant is not None and meant.monoclinic_unique_axis() != unique


def tidy_hall(symbol: str) -> str:
    """A Hall symbol without quotes and underscores, as gemmi reads it; empty where the text says nothing."""
    text = symbol.strip().translate(TYPESET).replace("_", " ").strip("'").strip()
    text = re.sub(r"^(-?[A-Z])\*", r"\1 ", text)  # `-P*2yn` occurs in the COD
    return "" if text in ("?", ".") else text


@lru_cache(maxsize=4096)
def _setting(symbol: str, axes: str) -> gemmi.SpaceGroup | None:
    """gemmi's entry for a symbol as it stands, else as its readings agree on."""
    plain = without_markup(symbol)
    found = _setting_as_spelt(plain, axes)
    if found is not None:
        return found
    readings = []
    for spelling, numbers in readings_of(plain):
        found = _setting_as_spelt(spelling, axes)
        if found is not None:
            readings.append((found, {found.number, *numbers}))
    of_all: set[int] = set().union(*(numbers for _, numbers in readings))
    return readings[0][0] if len(of_all) == 1 else None


def _setting_as_spelt(symbol: str, axes: str) -> gemmi.SpaceGroup | None:
    name, suffix = _split_suffix(_tidy(symbol))
    if not name or len(name) > 40:
        return None
    for spelling in (name, _short_symbol(name), _without_ones(name), *_completed(name)):
        if spelling[:1] in ("R", "H") and axes in ("R", "H", "o"):
            lattice = "H" if axes == "H" else "R"
            found = gemmi.find_spacegroup_by_name(f"{spelling}:{lattice}") if spelling[0] == "R" else None
            if found is not None:
                return found
        for candidate in (f"{spelling}:{suffix}", spelling) if suffix else (spelling,):
            found = gemmi.find_spacegroup_by_name(candidate)
            if found is not None:
                return _with_unique_axis(found, spelling, axes)
    return _placed(name, axes) or _placed(name, "c")


def _with_unique_axis(found: gemmi.SpaceGroup, name: str, axes: str) -> gemmi.SpaceGroup:
    """A short monoclinic symbol says no unique axis: the oblique angle of the cell does."""
    if found.monoclinic_unique_axis() in ("\0", "", axes) or len(name.split(" ")) > 2:
        return found
    return _placed(name, axes) or on_cell_axes(found, axes) or found


def _placed(name: str, axes: str) -> gemmi.SpaceGroup | None:
    """Setting of a short monoclinic symbol (`P 21/b`) with the unique axis a, b or c."""
    parts = re.match(r"([A-Z])\s*(\S+)$", name)
    if axes not in ("a", "b", "c") or parts is None:
        return None
    lattice, element = parts.groups()
    places = {"a": f"{element} 1 1", "b": f"1 {element} 1", "c": f"1 1 {element}"}
    return gemmi.find_spacegroup_by_name(f"{lattice} {places[axes]}")


def _tidy(symbol: str) -> str:
    """One way of writing: no quotes, no TeX, screw axes as `21`, single blanks, upper-case lattice."""
    text = without_markup(symbol).strip().strip("'\"").strip()
    text = re.sub(r"_\{?(\d)\}?", r"\1", text)
    text = re.sub(r"(?<=[2346])\((\d)\)", r"\1", text)
    text = text.replace("_", " ")
    text = re.sub(r"\s*/\s*", "/", text)
    text = re.sub(r"(?<=-)\s+(?=\d)", "", text)
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"(?<![-\d])(2 (?=1/)|4 (?=[123]/)|6 (?=[1-5]/))", lambda m: m[1][0], text)  # `P 2 1/n`
    return text[:1].upper() + text[1:]


_WORDS = (
    (re.compile(r"[({]\s*(?:(?:origin\s*)?choice|origin|o)\s*([12])\s*[)}]", re.IGNORECASE), None),
    (re.compile(r"(?<=[\dabcdmn])\s*\(([HR])\)$"), None),
    (re.compile(r"[({]\s*origin\s*(?:@|at)\s*cent[^)}]*\)?\s*[)}]", re.IGNORECASE), "2"),
    (re.compile(r"[({]\s*hex[a-z]*(?:\s+ax[ei]s)?\s*[)}]", re.IGNORECASE), "H"),
    (re.compile(r"[({]\s*rhomb[a-z]*(?:\s+ax[ei]s)?\s*[)}]", re.IGNORECASE), "R"),
    (re.compile(r"\s*:\s*([12HR])$", re.IGNORECASE), None),
    (re.compile(r"\s*:\s*[abc]-?[123]?$", re.IGNORECASE), ""),
    (re.compile(r"\s+HR$"), "H"),
    (re.compile(r"\s+R[SZ]?$"), "R"),
    (re.compile(r"(?<=[\dabcdmn])\s*S$"), "1"),
    (re.compile(r"(?<=[\dabcdmn])\s*Z$"), "2"),
    (re.compile(r"(?<=^R)(.*?)\s*[Hh]$"), "H"),
)


def _split_suffix(name: str) -> tuple[str, str]:
    """A tidy symbol without what it says of origin and axes, as gemmi's suffix `1`, `2`, `H`, `R`."""
    for pattern, suffix in _WORDS:
        match = pattern.search(name)
        if match:
            kept = match[1] if pattern.pattern.startswith("(?<=^R)") else ""
            rest = (name[: match.start()] + kept + name[match.end() :]).strip()
            return rest, (match[1].upper() if suffix is None else suffix)
    return name, ""


_ROTATION = re.compile(r"-?[2346][1-5]?")


def _short_symbol(name: str) -> str:
    """Short symbol of a full one: `F 4/m -3 2/m` is F m -3 m, `P 21/n 21/m 21/a` is P n m a."""
    lattice, *axes = name.split(" ")
    if len(axes) < 2 or "1" in axes[:1] or axes.count("1") > 1:
        return name
    cubic = axes[1] in ("-3", "3")
    short = []
    for place, axis in enumerate(axes):
        turn, slash, plane = axis.partition("/")
        keeps_axis = place == 0 and turn[:1] in ("4", "6") and not cubic
        is_full = slash and not keeps_axis and _ROTATION.fullmatch(turn)
        short.append(plane if is_full else axis)
    return " ".join([lattice, *short])


def _without_ones(name: str) -> str:
    """`P 1 n m a 1` and `F 1 -1 1` without the ones that do not belong there (the AMCSD has such names)."""
    return re.sub(r"^([A-Z]) 1 (.+) 1$", r"\1 \2", name)


_ONE_ELEMENT = re.compile(r"([A-Z])\s*1\s*(21?/[abcdn]|21?|[mabcdn])|([A-Z])\s*(21?/[abcdn])\s*1")
_WITHOUT_SLASH = re.compile(r"([PI])\s*(4[1-3]?|6[1-5]?)\s*([abcdmn])\s*([abcdmn])\s*([abcdmn])")


def _completed(name: str) -> tuple[str, ...]:
    """What was left out where only one symbol has the rest.

    >>> _completed("P 1 21/n"), _completed("P 21/n1"), _completed("I41amd"), _completed("P 21")
    (('P 1 21/n 1',), ('P 1 21/n 1',), ('I 41/a m d',), ())
    """
    if match := _ONE_ELEMENT.fullmatch(name):
        return (f"{match[1] or match[3]} 1 {match[2] or match[4]} 1",)
    if match := _WITHOUT_SLASH.fullmatch(name):
        return ("{} {}/{} {} {}".format(*match.groups()),)
    return ()
