"""Is a crystal read as before when one statement of its file is lost, misprinted or written otherwise?

    python benchmarks/reading_damage.py FOLDER [FOLDER …] [--kinds NAME …] [--list]

Takes files of one structure whose formula and symbols agree with what they list, and damages one statement at
a time in ways that are known from reports on programs that read CIFs. Group, number of operators, atoms and
volume are compared with those of the file as it was. A line for each kind of damage: how many are *right* as
before; how many are otherwise and *said* (a note that the file did not have before, or symmetry or formula
that disagree), *refused* (a rejection with its reason), or otherwise and *silent*. `--list` names the files
that are not right, with what became of them.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gemmi
from gemmi import cif

from xtalpriors.mining.cif import extract

OPERATORS = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz")
SYMBOLS = (
    *("_symmetry_space_group_name_H-M", "_space_group_name_H-M_alt", "_symmetry_space_group_name_Hall"),
    *("_space_group_name_Hall", "_symmetry_cell_setting", "_space_group_crystal_system"),
)
NUMBERS = ("_symmetry_Int_Tables_number", "_space_group_IT_number")
ANGLES = tuple(f"_cell_angle_{name}" for name in ("alpha", "beta", "gamma"))
LENGTHS = tuple(f"_cell_length_{name}" for name in "abc")
FORMULAS = tuple(
    f"_chemical_formula_{name}" for name in ("sum", "moiety", "structural", "analytical", "iupac")
)
CONTENTS = ("_chemical_formula_sum", "_cell_formula_units_Z", "_exptl_crystal_density_diffrn")
DOTTED = {
    **{tag: tag.replace("_cell_", "_cell.") for tag in (*LENGTHS, *ANGLES, CONTENTS[1])},
    **{
        f"_atom_site_{n}": f"_atom_site.{n}"
        for n in ("label", "fract_x", "fract_y", "fract_z", "type_symbol")
    },
    OPERATORS[0]: "_space_group_symop.operation_xyz",
    SYMBOLS[0]: "_space_group.name_H-M_alt",
    CONTENTS[0]: "_chemical_formula.sum",
}
LARGEST_CELL = 400
"""Sites of a whole cell that is listed."""
ONE_PLACE = 0.3
"""Å between images of an atom near a special position that are one."""
SAME = 1e-3
LARGEST_BYTES = 200_000
Damage = Callable[[cif.Block, random.Random], bool]


def values(block: cif.Block, tag: str) -> list[str]:
    """Texts of a column; empty where there is none."""
    return [cif.as_string(value) for value in block.find_values(tag)]


def edited(block: cif.Block, tags: tuple[str, ...], edit: Callable[[str], str]) -> bool:
    """Replace the values of these tags; whether anything changed."""
    changed = False
    for tag in tags:
        column = block.find_values(tag)
        for i in range(len(column)):
            before = cif.as_string(column[i])
            after = edit(before)
            if after != before:
                column[i] = cif.quote(after) if after not in (".", "?") else after
                changed = True
    return changed


def without(block: cif.Block, tags: tuple[str, ...]) -> bool:
    """Remove tags, with their columns; whether there were any."""
    found = False
    for tag in tags:
        column = block.find_values(tag)
        if len(column):
            found = True
            loop = column.get_loop()
            if loop is None or loop.width() == 1:
                column.erase()
            else:
                loop.remove_column(tag)
    return found


def _without_operators(block: cif.Block, rng: random.Random) -> bool:
    return any(values(block, tag) for tag in (*SYMBOLS[:4], *NUMBERS)) and without(block, OPERATORS)


def _identity_alone(block: cif.Block, rng: random.Random) -> bool:
    return keep_operators(block, lambda listed: listed[:1])


def _one_operator_lost(block: cif.Block, rng: random.Random) -> bool:
    lost = rng.randrange(1, 1000)
    return keep_operators(block, lambda o: [x for i, x in enumerate(o) if i != 1 + lost % max(len(o) - 1, 1)])


def _half_of_the_operators(block: cif.Block, rng: random.Random) -> bool:
    return keep_operators(block, lambda listed: listed[: len(listed) // 2])


def _one_operator_misprinted(block: cif.Block, rng: random.Random) -> bool:
    """A sign, a letter or a fraction."""
    place, way = rng.randrange(1, 1000), rng.randrange(3)

    def misprint(listed: list[str]) -> list[str]:
        k = 1 + place % max(len(listed) - 1, 1)
        text = listed[k]
        tries = (
            lambda: text.replace("-", "", 1) if "-" in text else "-" + text.lstrip("+"),
            lambda: text.replace("y", "x", 1),
            lambda: text.replace("1/2", "1/4", 1) if "1/2" in text else text.replace("z", "-z", 1),
        )
        return [*listed[:k], tries[way](), *listed[k + 1 :]]

    return keep_operators(block, misprint)


def keep_operators(block: cif.Block, which: Callable[[list[str]], list[str]]) -> bool:
    """Put another list in the place of the operators; False where there are fewer than two."""
    for tag in OPERATORS:
        listed = values(block, tag)
        if len(listed) > 1:
            wanted = which(listed)
            without(block, (tag, "_symmetry_equiv_pos_site_id", "_space_group_symop_id"))
            block.init_loop("", [tag]).set_all_values([[cif.quote(text) for text in wanted]])
            return wanted != listed
    return False


def _without_symbols(block: cif.Block, rng: random.Random) -> bool:
    listed = [values(block, tag) for tag in OPERATORS]
    return any(len(found) > 1 for found in listed) and without(block, (*SYMBOLS, *NUMBERS))


def _number_alone(block: cif.Block, rng: random.Random) -> bool:
    return any(values(block, tag) for tag in NUMBERS) and without(block, (*SYMBOLS, *OPERATORS))


def _symbol_alone(block: cif.Block, rng: random.Random) -> bool:
    return any(values(block, tag) for tag in SYMBOLS[:2]) and without(
        block, (*SYMBOLS[2:], *NUMBERS, *OPERATORS)
    )


def _symbol_written_otherwise(block: cif.Block, rng: random.Random) -> bool:
    """With underscores, without blanks, in small letters, with markup, as its only statement."""
    way = rng.randrange(5)
    subscript = str.maketrans("123456", "₁₂₃₄₅₆")

    def write(text: str) -> str:
        if re.search(r"[:\[]| [A-Z]$|\(|origin", text):
            return text
        parts = text.split()
        screw = [re.sub(r"^([2346])([1-5])", r"\1{}\2", p) for p in parts]
        joined = " ".join(screw)
        return (
            joined.replace("{}", "_"),
            "".join(parts),
            text.lower(),
            "".join(re.sub(r"\{\}(\d)", r"~\1~", p) for p in screw),
            "".join(re.sub(r"\{\}(\d)", lambda m: m[1].translate(subscript), p) for p in screw),
        )[way]

    return edited(block, SYMBOLS[:2], write) and _symbol_alone(block, rng)


def _operators_written_otherwise(block: cif.Block, rng: random.Random) -> bool:
    way = rng.randrange(4)

    def write(text: str) -> str:
        parts = [re.sub(r"\s", "", p) for p in text.split(",")]
        turned = [re.sub(r"^([+-]?[xyz])([+-]\d/\d)$", r"\2\1", p).replace("+-", "-") for p in parts]
        turned = [re.sub(r"^\+?(\d/\d)([xyz])", r"\1+\2", p) for p in turned]
        decimal = [re.sub(r"(\d)/(\d)", lambda m: f"{int(m[1]) / int(m[2]):.4f}", p) for p in parts]
        plus = [p if p[0] in "+-" else "+" + p for p in parts]
        return (", ".join(parts).upper(), ",".join(turned), ",".join(decimal), ",".join(plus))[way]

    return edited(block, OPERATORS, write)


def _capital_labels(block: cif.Block, rng: random.Random) -> bool:
    """Labels in capitals, no type symbols."""
    changed = edited(block, ("_atom_site_label",), str.upper)
    edited(block, ("_atom_site_aniso_label",), str.upper)
    return without(block, ("_atom_site_type_symbol",)) or changed


def _no_types(block: cif.Block, rng: random.Random) -> bool:
    return without(block, ("_atom_site_type_symbol",))


def _oblique(block: cif.Block) -> tuple[str, ...]:
    """The tag of the angle that is not 90°; empty where there are several or none."""
    found = [tag for tag in ANGLES if values(block, tag) and abs(_number(values(block, tag)[0]) - 90) > 0.2]
    return tuple(found) if len(found) == 1 else ()


def _angle_lost(block: cif.Block, rng: random.Random) -> bool:
    return without(block, _oblique(block))


def _angle_unknown(block: cif.Block, rng: random.Random) -> bool:
    return edited(block, _oblique(block), lambda _: "?")


def _degrees_signed(block: cif.Block, rng: random.Random) -> bool:
    return edited(block, ANGLES, lambda text: text + "°")


def _minus_typeset(block: cif.Block, rng: random.Random) -> bool:
    sign = rng.choice("−–—‒‐")
    return edited(block, tuple(f"_atom_site_fract_{n}" for n in "xyz"), lambda text: text.replace("-", sign))


def _decimal_commas(block: cif.Block, rng: random.Random) -> bool:
    return edited(block, tuple(f"_atom_site_fract_{n}" for n in "xyz"), lambda text: text.replace(".", ","))


def _per_cent(block: cif.Block, rng: random.Random) -> bool:
    return edited(block, ("_atom_site_occupancy",), _percent)


def _percent(text: str) -> str:
    return text if text in (".", "?", "") else f"{100 * _number(text):g}"


def _z_wrong(block: cif.Block, rng: random.Random) -> bool:
    return edited(block, (CONTENTS[1],), lambda text: str(2 * int(text)) if text.isdigit() else text)


def _formula_lost(block: cif.Block, rng: random.Random) -> bool:
    return without(block, FORMULAS)


def _contents_lost_too(block: cif.Block, rng: random.Random) -> bool:
    """The operators, the formula, Z and the density."""
    found = _without_operators(block, rng)
    without(block, CONTENTS)
    return found and (_formula_lost(block, rng) or True)


def _nanometres(block: cif.Block, rng: random.Random) -> bool:
    return edited(block, LENGTHS, lambda text: f"{_number(text) / 10:.5f}")


def _picometres(block: cif.Block, rng: random.Random) -> bool:
    return edited(block, LENGTHS, lambda text: f"{_number(text) * 100:.2f}")


def _number(text: str) -> float:
    return float(re.sub(r"\(.*", "", text))


def _axes_exchanged(block: cif.Block, rng: random.Random) -> bool:
    """a, b, c become b, c, a in the cell and the coordinates; symbol and operators stay as they were."""
    names = [*(values(block, tag)[0] for tag in LENGTHS), *(values(block, tag)[0] for tag in ANGLES)]
    columns = [values(block, f"_atom_site_fract_{n}") for n in "xyz"]
    for i, tag in enumerate((*LENGTHS, *ANGLES)):
        block.set_pair(tag, names[i // 3 * 3 + (i + 1) % 3])
    for i, name in enumerate("xyz"):
        column = block.find_values(f"_atom_site_fract_{name}")
        for k, text in enumerate(columns[(i + 1) % 3]):
            column[k] = text
    without(block, OPERATORS)
    return any(values(block, tag) for tag in SYMBOLS[:2])


def _sites_as_whole_cell(block: cif.Block, rng: random.Random) -> bool:
    """Every image of every site of an ordered structure is listed, under the operators of the group."""
    small = gemmi.make_small_structure_from_block(block)
    group, cell = small.spacegroup, gemmi.UnitCell(*small.cell.parameters)  # without the images of symmetry
    loop = block.find_loop("_atom_site_label").get_loop()
    if group is None or loop is None or any(site.occ != 1.0 for site in small.sites):
        return False
    operations = list(group.operations())
    if loop.length() * len(operations) > LARGEST_CELL:
        return False
    tags = [tag.lower() for tag in loop.tags]
    xyz = [tags.index(f"_atom_site_fract_{n}") for n in "xyz"]
    rows: list[list[str]] = []
    for i in range(loop.length()):
        row = [loop[i, k] for k in range(loop.width())]
        if any(cif.as_string(row[k]) in (".", "?", "") for k in xyz):
            return False
        place = [_number(cif.as_string(row[k])) for k in xyz]
        seen: list[gemmi.Fractional] = []
        for operation in operations:
            image = gemmi.Fractional(*(value % 1.0 for value in operation.apply_to_xyz(place)))
            if all(
                cell.find_nearest_image(*map(cell.orthogonalize, (image, o))).dist() > ONE_PLACE for o in seen
            ):
                seen.append(image)
                moved = dict(zip(xyz, (f"{value:.5f}" for value in image.tolist()), strict=True))
                rows.append([moved.get(k, text) for k, text in enumerate(row)])
    grown = len(rows) > loop.length()
    loop.set_all_values([list(column) for column in zip(*rows, strict=True)])
    return grown


def _whole_cell_in_p1(block: cif.Block, rng: random.Random) -> bool:
    """The same under the identity alone, beside the symbol of the group."""
    return any(values(block, tag) for tag in SYMBOLS[:2]) and (
        _sites_as_whole_cell(block, rng) and keep_operators(block, lambda listed: listed[:1])
    )


def _symbol_with_number(block: cif.Block, rng: random.Random) -> bool:
    numbers = [value for tag in NUMBERS for value in values(block, tag)]
    way = rng.choice((" (No. {})", " ({})", ", no. {}", " # {}"))
    written = bool(numbers) and edited(block, SYMBOLS[:2], lambda text: text + way.format(numbers[0]))
    return written and _symbol_alone(block, rng)


def _dotted_tags(block: cif.Block, rng: random.Random) -> bool:
    """The names of the dictionaries in DDLm."""
    changed = False
    for old, new in DOTTED.items():
        column = block.find_values(old)
        if len(column):
            loop = column.get_loop()
            changed = True
            if loop is None:
                value = column[0]
                column.erase()
                block.set_pair(new, value)
            else:
                block_tags = [new if tag.lower() == old.lower() else tag for tag in loop.tags]
                table = [[loop[row, k] for row in range(loop.length())] for k in range(loop.width())]
                column.erase()
                block.init_loop("", block_tags).set_all_values(table)
    return changed


KINDS: dict[str, Damage] = {
    "operators lost": _without_operators,
    "all but the identity lost": _identity_alone,
    "one operator lost": _one_operator_lost,
    "half of the operators lost": _half_of_the_operators,
    "an operator misprinted": _one_operator_misprinted,
    "operators otherwise": _operators_written_otherwise,
    "symbols lost": _without_symbols,
    "number alone": _number_alone,
    "H-M symbol alone": _symbol_alone,
    "H-M symbol otherwise, alone": _symbol_written_otherwise,
    "operators and contents lost": _contents_lost_too,
    "Z doubled": _z_wrong,
    "formula lost": _formula_lost,
    "type symbols lost": _no_types,
    "capital labels, no types": _capital_labels,
    "oblique angle lost": _angle_lost,
    "oblique angle unknown": _angle_unknown,
    "degree signs": _degrees_signed,
    "typeset minus": _minus_typeset,
    "decimal commas": _decimal_commas,
    "occupancies in per cent": _per_cent,
    "cell in nanometre": _nanometres,
    "cell in picometre": _picometres,
    "axes exchanged": _axes_exchanged,
    "whole cell beside its group": _sites_as_whole_cell,
    "whole cell in P 1": _whole_cell_in_p1,
    "symbol with number, alone": _symbol_with_number,
    "names of DDLm": _dotted_tags,
}


def sound_files(folders: list[Path]) -> dict[str, bytes]:
    """Files of one block that agree with themselves, without long texts, by name."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.cif")):
            data = path.read_bytes()
            if len(data) <= LARGEST_BYTES and data.isascii():
                found[path.name] = data
    entries = {e["file_id"]: e for e in read(list(found.items())).values()}
    return {
        name: data
        for name, data in found.items()
        if "sg_number" in entries.get(name, {})
        and entries[name]["sg_agreement"] == "agree"
        and entries[name]["composition_agreement"] in ("agree", "hydrogen")
        and not entries[name]["notes"]
    }


def read(items: list[tuple[str, bytes]]) -> dict[str, dict[str, Any]]:
    """Entry of each file, or `{"rejected": code}`; files with several entries are left out."""
    out: dict[str, dict[str, Any]] = {}
    several = set()
    for at in range(0, len(items), 200):
        got = extract("damage", None, "original", items[at : at + 200])
        for row in got.rejections.to_pylist():
            out[row["file_id"]] = {"file_id": row["file_id"], "rejected": row["code"]}
        for row in got.entries.to_pylist():
            if "sg_number" in out.get(row["file_id"], {}):
                several.add(row["file_id"])
            out[row["file_id"]] = row
    return {name: row for name, row in out.items() if name not in several}


def outcome(before: dict[str, Any], after: dict[str, Any]) -> str:
    """`right`, `said`, `refused` or `silent`."""
    if "sg_number" not in after:
        return "refused"
    same = all(before[key] == after[key] for key in ("sg_number", "n_operators", "formula_sites"))
    near = abs(after["volume_angstrom3"] - before["volume_angstrom3"]) <= SAME * before["volume_angstrom3"]
    if same and near:
        return "right"
    new = set((after["notes"] or "").split(";")) - set((before["notes"] or "").split(";"))
    differs = "disagree" in (after["sg_agreement"], after["composition_agreement"])
    return "said" if new - {""} or differs else "silent"


def main() -> None:
    """A line for each kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="NAME")
    parser.add_argument("--list", action="store_true", help="Name what is not right")
    options = parser.parse_args()
    files = sound_files(options.folders)
    before = read(list(files.items()))
    print(f"{len(files)} files that agree with themselves")
    print(f"{'damage':30}{'files':>7}{'right':>7}{'said':>7}{'refused':>9}{'silent':>8}")
    for kind in options.kinds:
        damaged = []
        for name, data in files.items():
            document = cif.read_string(data.decode("ascii"))
            block = document.sole_block() if len(document) == 1 else None
            if block is not None and KINDS[kind](block, random.Random(f"{kind} {name}")):
                damaged.append((name, document.as_string().encode()))
        after = read(damaged)
        found = {name: outcome(before[name], after[name]) for name, _ in damaged if name in after}
        n = Counter(found.values())
        print(
            f"{kind:30}{len(found):7}{n['right']:7}{n['said']:7}{n['refused']:9}{n['silent']:8}", flush=True
        )
        for name, what in sorted(found.items()) if options.list else ():
            if what != "right":
                a, b = before[name], after[name]
                keys = ("sg_hm", "formula_sites", "volume_angstrom3", "notes", "rejected")
                print(f"    {what:8}{name}: " + "; ".join(f"{a.get(k)} → {b.get(k)}" for k in keys))


if __name__ == "__main__":
    main()
