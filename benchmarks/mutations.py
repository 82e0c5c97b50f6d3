"""Mutations of CIF text by its structure: what `fuzz_reader.py` feeds the reader.

Each mutation takes the bytes of a file and a random generator. `mutated` applies one to four of them to a
file that a seed and a number choose, so that any input can be made again from these two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["MUTATIONS", "mutated"]

Rng = np.random.Generator
Mutation = Callable[[bytes, Rng], bytes]

NUMBER = re.compile(rb"(?<![^\s'\",/+-])[+-]?\d*\.?\d+(?:\(\d+\))?(?![^\s'\",/])")
TAG = re.compile(rb"(?m)^[ \t]*(_\S+)")
WORD = re.compile(rb"\S+")
OPERATOR = re.compile(rb"['\"]?[-+xyzXYZ0-9/. ]+,[-+xyzXYZ0-9/. ]+,[-+xyzXYZ0-9/. ]+['\"]?")
LOOP = re.compile(rb"(?mi)^[ \t]*loop_")
LARGEST = 200_000

ODD_NUMBERS = [
    *b"1e400 -0 nan inf 1e-400 0x1F 1/0 1/3 1,5 5( 5() (5) . ? .. --1 + - 1e5(3) 1.5e % 1_000 1e9".split(),
    *b"2147483648 -2147483649 1e308 5.123(400000000000) 0.5% 2.5GPa 0.4-3.5 293K 1e-9 180 90.0000001".split(),
    b"1/3(1)",
    b"9" * 400,
    b"0." + b"0" * 300 + b"1",
    "٣".encode(),
    "−1.5".encode(),
    *"½ 102.5° 102°30' 102.5±0.1 2.5×10⁶ 4² —.5 0.3…".encode().split(),
    *b"1.1d-1 0.l09 1/4+0.01 0.25? 0.25(3)* .5.3 102.5e $1 _1".split(),
    b"'- .11'",
    b"'0.1 (2)'",
    b"102.5\xb0",
    b"'0.5 0.5'",
    b"''",
    b'"5.1"',
    b"\n;\n5.0\n;\n",
    b"\n;5.0\n",
]
ODD_LABELS = [
    *b"CL1 CO1 X Vac1 Va 0.8Nb+0.2Zr H2O OH2 HG1 Og Nh 1 * Q1 A;1 D T 2H Wat Xx0.5Fe0.5 Fe3+ O-H".split(),
    b"Al/Si",
    b"A" * 300,
    "Ω1".encode(),
    b"\xff\xfe",
    b"C" + b"1" * 30,
    b"(",
    b"'C 1'",
]
ODD_SYMBOLS = [
    b"'P 1'",
    b"'F m -3 m'",
    b"'R -3 c :R'",
    b"'I a -3 d'",
    b"'P 21/c (no. 14)'",
    b"x,y,z",
    b"'x,y,x'",
    b"'x+1/7,y,z'",
    b"'-x,y+1/2,-z+1/2'",
    b"999",
    b"0",
    b"'F d -3 m :2'",
    b"'x1,x2,x3,x4,+1'",
    b"'x,y,z,-1'",
    b"'2x,y,z'",
    b"'C -1'",
    *"P2₁/c F3̄m $P2_1/c$ P\u00af1 x,½+y,z".encode().split(),
    *rb"P2~1~/c Fm\bar{3}m P\=1 P2<sub>1</sub>/c".split(),
    b"'P 1 21/c 1.1'",
    b"?",
    b".",
    b"''",
]
ODD_BYTES = [
    b"\x00",
    b"\x1a",
    b"\x0c",
    b"\r",
    b"\r\n",
    b"\xa0",
    "\u00a0".encode(),
    "\u2212".encode(),
    "±".encode(),
    "°".encode(),
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"'",
    b'"',
    b"\n;\n",
    b";",
    b"#",
    b"[",
    b"{",
    b"$",
    b"_",
    b"data_",
    b"loop_",
    b"save_x",
    b"stop_",
    b"global_",
    b"\ndata_x y\n",
    b"\nloop_\n",
    b"\n_cell_length_a\n",
    b"_cell_length_a_pm 500",
    b"'''",
    b"\\",
    b"\t",
    b"?",
    b"\n\n",
]


def _pick(rng: Rng, of: Sequence[bytes]) -> bytes:
    return of[int(rng.integers(len(of)))]


def _match(pattern: re.Pattern[bytes], data: bytes, rng: Rng) -> re.Match[bytes] | None:
    """One of the matches, found from a random place on."""
    start = int(rng.integers(len(data) + 1))
    return pattern.search(data, start) or pattern.search(data)


def _replace(pattern: re.Pattern[bytes], data: bytes, rng: Rng, by: Sequence[bytes]) -> bytes:
    found = _match(pattern, data, rng)
    return data if found is None else data[: found.start()] + _pick(rng, by) + data[found.end() :]


def swapped_tags(data: bytes, rng: Rng) -> bytes:
    """Two tags in each other's place."""
    one, two = _match(TAG, data, rng), _match(TAG, data, rng)
    if one is None or two is None or one.start() == two.start():
        return data
    first, second = sorted((one, two), key=lambda m: m.start(1))
    between = data[first.end(1) : second.start(1)]
    return data[: first.start(1)] + second[1] + between + first[1] + data[second.end(1) :]


def dropped_tag(data: bytes, rng: Rng) -> bytes:
    """A tag left out, its value left."""
    found = _match(TAG, data, rng)
    return data if found is None else data[: found.start(1)] + data[found.end(1) :]


def dropped_loop(data: bytes, rng: Rng) -> bytes:
    """From one `loop_` to the next: left out."""
    first = _match(LOOP, data, rng)
    if first is None:
        return data
    after = LOOP.search(data, first.end())
    return data[: first.start()] + data[after.start() if after else len(data) :]


def repeated_loop(data: bytes, rng: Rng) -> bytes:
    """From one `loop_` to the next: twice."""
    first = _match(LOOP, data, rng)
    if first is None:
        return data
    after = LOOP.search(data, first.end())
    end = after.start() if after else len(data)
    return data[:end] + b"\n" + data[first.start() : end] + b"\n" + data[end:]


def wrong_count(data: bytes, rng: Rng) -> bytes:
    """A value left out, or written twice."""
    found = _match(WORD, data, rng)
    if found is None:
        return data
    return (
        data[: found.start()]
        + (found[0] + b" " + found[0] if rng.random() < 0.5 else b"")
        + data[found.end() :]
    )


def odd_number(data: bytes, rng: Rng) -> bytes:
    """Some numbers become odd ones."""
    for _ in range(int(rng.integers(1, 6))):
        data = _replace(NUMBER, data, rng, ODD_NUMBERS)
    return data


def odd_label(data: bytes, rng: Rng) -> bytes:
    """A word that begins with a letter becomes an odd label."""
    return _replace(re.compile(rb"(?<=\n)[A-Za-z]\S*"), data, rng, ODD_LABELS)


def odd_symmetry(data: bytes, rng: Rng) -> bytes:
    """An operator or a symbol becomes another one, or loses a character."""
    found = _match(OPERATOR, data, rng)
    if found is None or rng.random() < 0.3:
        return _replace(re.compile(rb"(?<=H-M )\S.*|(?<=Hall )\S.*|(?<=number )\d+"), data, rng, ODD_SYMBOLS)
    if rng.random() < 0.5:
        return data[: found.start()] + _pick(rng, ODD_SYMBOLS) + data[found.end() :]
    at = int(rng.integers(found.start(), found.end()))
    return data[:at] + _pick(rng, [b"", b"-", b"x", b"z", b"+1/2", b","]) + data[at + 1 :]


def odd_bytes(data: bytes, rng: Rng) -> bytes:
    """Odd bytes somewhere, often where a line begins."""
    at = int(rng.integers(len(data) + 1))
    if rng.random() < 0.5:
        at = data.find(b"\n", at) + 1
    return data[:at] + _pick(rng, ODD_BYTES) + data[at:]


def other_encoding(data: bytes, rng: Rng) -> bytes:
    """The file in another encoding, or with other line ends."""
    text = data.decode("latin-1")
    made = [
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-16-le"),
        lambda: b"\xef\xbb\xbf" + data,
        lambda: data.replace(b"\n", b"\r"),
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: data.replace(b" ", b"\xa0"),
        lambda: text.replace("-", "\u2212").encode(),
        lambda: data.replace(b"\n", b"\n\n").upper(),
        lambda: data.swapcase(),
        lambda: b"\xff\xfe" + data,
    ]
    return made[int(rng.integers(len(made)))]()


def truncated(data: bytes, rng: Rng) -> bytes:
    """An end, a beginning or a middle cut off."""
    a, b = sorted(rng.integers(len(data) + 1, size=2).tolist())
    return (data[:b], data[a:], data[:a] + data[b:])[int(rng.integers(3))]


def flipped(data: bytes, rng: Rng) -> bytes:
    """Some bytes become others."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        if changed:
            changed[int(rng.integers(len(changed)))] = int(rng.integers(256))
    return bytes(changed)


def several_blocks(data: bytes, rng: Rng) -> bytes:
    """The file again behind itself: with its name, with another, or without a heading."""
    heading = re.compile(rb"(?mi)^data_\S*")
    again = (data, heading.sub(b"data_second", data), heading.sub(b"data_a b", data), heading.sub(b"", data))
    return data + b"\n" + again[int(rng.integers(4))]


def odd_cell(data: bytes, rng: Rng) -> bytes:
    """A length or an angle becomes an odd one."""
    return _replace(
        re.compile(rb"(?<=_cell_length_[abc] )\S+|(?<=_cell_angle_beta )\S+"), data, rng, ODD_NUMBERS
    )


MUTATIONS: tuple[Mutation, ...] = (
    swapped_tags,
    dropped_tag,
    dropped_loop,
    repeated_loop,
    wrong_count,
    odd_number,
    odd_number,
    odd_label,
    odd_symmetry,
    odd_bytes,
    other_encoding,
    truncated,
    flipped,
    several_blocks,
    odd_cell,
)


def mutated(files: Sequence[bytes], seed: int, number: int) -> bytes:
    """Input `number` of a seed: one of the files, mutated one to four times, or half of two files."""
    rng = np.random.default_rng([seed, number])
    data = files[int(rng.integers(len(files)))]
    if rng.random() < 0.03:
        other = files[int(rng.integers(len(files)))]
        data = data[: len(data) // 2] + other[len(other) // 2 :]
    for _ in range(int(rng.integers(1, 5))):
        data = MUTATIONS[int(rng.integers(len(MUTATIONS)))](data, rng)[:LARGEST]
    return data
