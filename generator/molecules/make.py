"""Make a library of molecules: drawn at random under the rules of GDB-13, or from a file of SMILES."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from xtalpriors.counted import counted
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.molecules.conformers import MOST_HEAVY_ATOMS, conformer, need_rdkit
from xtalpriors.generator.molecules.graphs import random_smiles
from xtalpriors.generator.molecules.library import LIBRARY, Conformer, shard_made_by, write_shard
from xtalpriors.outputs import check_folder, check_output
from xtalpriors.progress import Advance, Progress, silent

__all__ = ["HEAVY_ATOMS", "MoleculesReport", "make_library"]

HEAVY_ATOMS: Final = (1, 13)
"""Smallest and largest number of non-hydrogen atoms of a molecule drawn at random, as in GDB-13."""
SHARD: Final = 1000
"""Molecules of a shard; what is lost at most when a run is stopped."""
GROWTH: Final = 1.5
"""A size has so many times the molecules of the size below (sevenfold in GDB-13, where hardly a small
molecule would be drawn)."""
_LONGEST_LINE: Final = 100_000
_DROUGHT: Final = 500
"""Draws in a row without a new molecule after which a shard is given up."""


@dataclass(slots=True)
class MoleculesReport:
    """What `make_library` did; `str` says it in a few lines.

    Attributes
    ----------
    output
        The file or folder.
    n_molecules
        Molecules in it now.
    n_resumed
        Of these, found there from an earlier run.
    left_out
        How many were left out for each reason.
    """

    output: Path
    n_molecules: int = 0
    n_resumed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        there = f", of which {self.n_resumed:,} were there already" if self.n_resumed else ""
        lines = [f"{self.output}: {counted(self.n_molecules, 'molecule')}{there}"]
        lines += [f"  left out: {n:,}, {reason}" for reason, n in sorted(self.left_out.items())]
        return "\n".join(lines)


def make_library(
    output: Path,
    *,
    count: int | None = None,
    smiles: Path | None = None,
    heavy_atoms: tuple[int, int] = HEAVY_ATOMS,
    seed: int = 0,
    progress: Progress = silent,
) -> MoleculesReport:
    """Write a library of molecules.

    Parameters
    ----------
    output
        `FILE.parquet`: one file. Otherwise a folder of shards of a thousand molecules; a run that was stopped
        goes on after the last whole shard.
    count
        Molecules; with `smiles` at most so many lines are read, null: all of them.
    smiles
        A text file, one SMILES a line, what follows it after a space is not read. Null: molecules are drawn
        at random.
    heavy_atoms
        Smallest and largest number of non-hydrogen atoms.
    seed
        Of the molecules drawn at random; shard k is a function of (seed, heavy_atoms, k).

    Raises
    ------
    UsageError
        Nothing to make, or the output is somebody else's.
    XtalpriorsError
        RDKit is not installed, the file of SMILES cannot be read, or no line of it gives a molecule.
    """
    _check(count, smiles, heavy_atoms)
    version = need_rdkit()
    single = output.suffix == ".parquet"
    if single:
        check_output(output, LIBRARY)
    else:
        check_folder(output)
    made_by: dict[str, Any] = {"rdkit": version, "heavy_atoms": list(heavy_atoms), "count": count}
    made_by |= {"seed": seed} if smiles is None else {"smiles": _hash(smiles)}
    report, whole = MoleculesReport(output), list[Conformer]()
    with progress("molecules", count, "molecule") as advance:
        for k, texts in enumerate(_shards(smiles, count, heavy_atoms, seed)):
            path = output / f"molecules-{k:06d}.parquet"
            if not single and (there := _complete(path, {**made_by, "shard": k})) is not None:
                report.n_molecules += there
                report.n_resumed += there
                advance(there)
                continue
            made, left_out = _conformers(texts, heavy_atoms, advance)
            report.left_out.update(left_out)
            report.n_molecules += len(made)
            if single:
                whole.extend(made)
            elif made:
                write_shard(path, made, {**made_by, "shard": k, "left_out": dict(left_out)})
    if report.n_molecules == 0:
        raise XtalpriorsError(_nothing(smiles, report.left_out))
    if single:
        write_shard(output, whole, {**made_by, "left_out": dict(report.left_out)})
    return report


def _check(count: int | None, smiles: Path | None, heavy_atoms: tuple[int, int]) -> None:
    fewest, most = heavy_atoms
    if not 1 <= fewest <= most <= MOST_HEAVY_ATOMS:
        raise UsageError(
            f"molecules of {fewest} to {most} non-hydrogen atoms: give 1 to {MOST_HEAVY_ATOMS}, the smaller "
            "number first."
        )
    if count is None and smiles is None:
        raise UsageError("say how many molecules to draw (--count), or name a file of SMILES (--smiles).")
    if count is not None and count < 1:
        raise UsageError(f"the count is {count}; it must be at least 1.")


def _conformers(
    texts: Iterable[str], heavy_atoms: tuple[int, int], advance: Advance
) -> tuple[list[Conformer], Counter[str]]:
    """Conformers of SMILES, and how many were left out for which reason."""
    made: list[Conformer] = []
    left_out: Counter[str] = Counter()
    for text in texts:
        one = conformer(text, heavy_atoms)
        if isinstance(one, str):
            left_out[one] += 1
        else:
            made.append(one)
        advance()
    return made, left_out


def _shards(
    smiles: Path | None, count: int | None, heavy_atoms: tuple[int, int], seed: int
) -> Iterator[Iterable[str]]:
    """SMILES of one shard after the other."""
    if smiles is None:
        for k, first in enumerate(range(0, count or 0, SHARD)):
            yield _drawn(min(SHARD, (count or 0) - first), heavy_atoms, f"{seed} {heavy_atoms} {k}")
        return
    lines = islice(_lines(smiles), count)
    while shard := list(islice(lines, SHARD)):
        yield shard


def _drawn(n: int, heavy_atoms: tuple[int, int], seed: str) -> Iterator[str]:
    """`n` different molecules; fewer where there are not as many of these sizes."""
    random = Random(seed)
    fewest, most = heavy_atoms
    sizes = range(fewest, most + 1)
    weights = [GROWTH**size for size in sizes]
    seen: set[str] = set()
    in_vain = 0
    while len(seen) < n and in_vain < _DROUGHT:
        one = random_smiles(random.choices(sizes, weights)[0], random)
        if one is None or one in seen:
            in_vain += 1
            continue
        in_vain = 0
        seen.add(one)
        yield one


def _lines(path: Path) -> Iterator[str]:
    """First words of the lines of a text file, empty lines left out."""
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                if b"\0" in line:
                    raise XtalpriorsError(f"{path} is no text. Name a file of SMILES, one a line.")
                words = line.decode("utf-8", "replace").split()
                if words:
                    yield words[0]
    except OSError as error:
        raise XtalpriorsError(f"{path} cannot be read ({error.strerror}). Name a file of SMILES.") from error


def _hash(path: Path) -> str:
    """BLAKE2b-128 of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise XtalpriorsError(f"{path} cannot be read ({error.strerror}). Name a file of SMILES.") from error


def _complete(path: Path, made_by: dict[str, Any]) -> int | None:
    """Molecules of a shard that an earlier run of the same kind wrote; None where there is no file.

    Raises
    ------
    UsageError
        The file is of another kind, or of a run with other settings.
    """
    if not path.exists():
        return None
    check_output(path, LIBRARY)
    if (found := shard_made_by(path)) is None or any(found[0].get(k) != v for k, v in made_by.items()):
        raise UsageError(
            f"{path} is there already, made with other settings, another file of SMILES or another version "
            "of RDKit. Choose another output, or delete it."
        )
    return found[1]


def _nothing(smiles: Path | None, left_out: Counter[str]) -> str:
    if smiles is None:
        return "no molecule was made. Allow more sizes (--heavy-atoms)."
    if not left_out:
        return f"{smiles} is empty: it should hold one SMILES a line."
    reasons = "; ".join(f"{n:,}, {reason}" for reason, n in sorted(left_out.items()))
    return f"no line of {smiles} gave a molecule ({reasons}). Nothing is written."
