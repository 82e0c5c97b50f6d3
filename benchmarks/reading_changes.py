"""What another version of the reader makes of the same files, judged by the density that the files declare.

    python benchmarks/reading_changes.py snapshot FOLDER before.parquet   # with the one checkout installed
    python benchmarks/reading_changes.py snapshot FOLDER after.parquet    # with the other
    python benchmarks/reading_changes.py compare before.parquet after.parquet

`amcsd` for the folder means the minerals of the installed larixite package. The comparison prints the
entries whose group, operators, contents or rejection changed, by kind, with the number that judges them: the
mass of the cell's contents over its volume, computed here from the columns of the table, against the declared
density, which gemmi reads from the file. The share within 2 % of it is printed for both.
"""

from __future__ import annotations

import argparse
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gemmi
import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.mining.cif import extract
from xtalpriors.mining.sources.amcsd import AmcsdSource

DALTON_PER_ANGSTROM3 = 1.66053907  # of 1 g/cm³: 1 / 0.602214
COLUMNS = (
    *("entry_id", "sg_number", "sg_hm", "n_operators", "operators", "sg_source", "sg_agreement", "notes"),
    *("sg_declared_hm", "z_declared", "formula_units", "composition_agreement", "formula_sites"),
    *("formula_cell", "formula_declared", "volume_angstrom3", "n_sites"),
)


def files(folder: str) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the files."""
    if folder == "amcsd":
        source = AmcsdSource()
        for file in source.files():
            yield file.file_id, source.read(file.file_id)
        return
    root = Path(folder)
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix.lower() in (".cif", ".mcif"):
            yield path.relative_to(root).as_posix(), path.read_bytes()


def densities(data: bytes) -> dict[str, float]:
    """Declared densities of the blocks of a file in g/cm³, as gemmi reads them."""
    try:
        document = gemmi.cif.read_string(data.decode("utf-8", "replace"), check_level=0)
    except (ValueError, RuntimeError):
        return {}
    found = {}
    for block in document:
        number = re.match(r"[\d.]+", (block.find_value("_exptl_crystal_density_diffrn") or "").strip("'\" "))
        if number and number[0].strip("."):
            found[block.name] = float(number[0])
    return found


def snapshot(folder: str, out: Path) -> None:
    """Write what the installed reader makes of the files."""
    rows: list[dict[str, Any]] = []
    everything = list(files(folder))
    for start in range(0, len(everything), 200):
        batch = everything[start : start + 200]
        stated = {name: densities(data) for name, data in batch}
        tables = extract("x", None, "original", batch)
        for row in tables.entries.to_pylist():
            density = stated[row["file_id"]].get(row["block"])
            rows.append({c: row[c] for c in COLUMNS} | {"density": density, "rejection": None})
        for row in tables.rejections.to_pylist():
            key = f"x:{row['file_id']}#{row['block']} rejected"
            rows.append(
                dict.fromkeys(COLUMNS) | {"entry_id": key, "density": None} | {"rejection": row["code"]}
            )
    pq.write_table(pa.Table.from_pylist(rows), out)
    print(f"{len(everything)} files, {len(rows)} entries and rejections -> {out}")


def mass(formula: str | None) -> float:
    """Mass of a formula in dalton, by gemmi's masses."""
    parts = re.findall(r"([A-Z][a-z]?)(\d*\.?\d*)", formula or "")
    return sum(gemmi.Element(symbol).weight * float(count or 1) for symbol, count in parts)


def computed_density(row: dict[str, Any]) -> float | None:
    """g/cm³ of the cell's contents as reconciled; None where they are not known."""
    total = mass(row["formula_cell"])
    return total / row["volume_angstrom3"] * DALTON_PER_ANGSTROM3 if total > 0 else None


def density_ratio(row: dict[str, Any]) -> float | None:
    """Computed over declared density."""
    found = computed_density(row) if row["rejection"] is None else None
    if found is None or not row["density"]:
        return None
    return found / row["density"]


def within(row: dict[str, Any], tolerance: float = 0.02) -> bool | None:
    """The computed density agrees with the declared one; None where one of the two is unknown."""
    ratio = density_ratio(row)
    return None if ratio is None else abs(ratio - 1) <= tolerance


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of what changed."""
    if before["rejection"] or after["rejection"]:
        return [] if before["rejection"] == after["rejection"] else ["rejection"]
    kinds = [c for c in ("operators", "formula_sites", "formula_cell") if before[c] != after[c]]
    return kinds or (["agreement"] if before["sg_agreement"] != after["sg_agreement"] else [])


def compare(first: Path, second: Path, verbose: bool) -> None:
    """Print the changes between two snapshots."""
    before, after = ({r["entry_id"]: r for r in pq.read_table(p).to_pylist()} for p in (first, second))
    tables = (before, after)
    known = [k for k in before if k in after and all(within(t[k]) is not None for t in tables)]
    for name, table in zip(("before", "after"), tables, strict=True):
        own = [w for w in map(within, table.values()) if w is not None]
        common = sum(bool(within(table[k])) for k in known)
        print(
            f"{name}: {len(table)} rows; density within 2 % in {sum(own)} of {len(own)} "
            f"({sum(own) / max(len(own), 1):.2%}), "
            f"of the {len(known)} that both know in {common} ({common / max(len(known), 1):.2%})"
        )
    print(
        f"only before: {len(before.keys() - after.keys())}; only after: {len(after.keys() - before.keys())}"
    )
    kinds: Counter[str] = Counter()
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            row, side = (new, "gained") if old is None else (old, "lost")
            assert row is not None
            kinds[side] += 1
            print(f"{side} {key}: {_said(row)}")
            continue
        what = changes(old, new)
        if not what:
            continue
        verdict = _verdict(old, new)
        kinds[f"{'+'.join(what)} ({verdict})"] += 1
        if verbose or what != ["agreement"]:
            print(f"{'+'.join(what)} ({verdict}) {key}\n    {_said(old)}\n    {_said(new)}")
    for kind, count in kinds.most_common():
        print(f"{count:6d} {kind}")


def _verdict(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Which of the two is nearer to the declared density."""
    a, b = density_ratio(old), density_ratio(new)
    if a is None or b is None:
        return "no density" if a is b else "known now" if a is None else "unknown now"
    if abs(a - b) < 1e-3:
        return "same density"
    return "nearer" if abs(math.log(b)) < abs(math.log(a)) else "farther"


def _said(row: dict[str, Any]) -> str:
    if row["rejection"]:
        return f"rejected: {row['rejection']}"
    ratio = density_ratio(row)
    return (
        f"{row['sg_declared_hm']!r} -> {row['sg_hm']} "
        f"({row['n_operators']}, {row['sg_source']}, {row['sg_agreement']}), "
        f"Z {row['z_declared']}, units {row['formula_units']}, {row['composition_agreement']}, "
        f"{row['formula_sites']}; density ratio {ratio and round(ratio, 3)}; {row['notes']}"
    )


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("snapshot", help="read a folder with the installed reader")
    make.add_argument("folder", help="folder of CIFs, or amcsd")
    make.add_argument("out", type=Path)
    judge = commands.add_parser("compare", help="say what changed between two snapshots")
    judge.add_argument("before", type=Path)
    judge.add_argument("after", type=Path)
    judge.add_argument("--verbose", action="store_true", help="list changes of the agreement alone as well")
    options = parser.parse_args()
    if options.command == "snapshot":
        snapshot(options.folder, options.out)
    else:
        compare(options.before, options.after, options.verbose)


if __name__ == "__main__":
    main()
