"""Structures as CIF text: cell, symbol and operators of the setting, and the sites of the asymmetric unit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import gemmi

from xtalpriors.crystal.chemistry.formula import hill_formula
from xtalpriors.crystal.wyckoff.table import wyckoff_positions
from xtalpriors.generator.counters import GENERAL
from xtalpriors.generator.output.reduce import niggli_reduced
from xtalpriors.generator.structures import Structure

__all__ = ["to_cif"]

SITE_TAGS = (
    "_atom_site_label",
    "_atom_site_type_symbol",
    "_atom_site_fract_x",
    "_atom_site_fract_y",
    "_atom_site_fract_z",
    "_atom_site_U_iso_or_equiv",
    "_atom_site_adp_type",
    "_atom_site_occupancy",
    "_atom_site_site_symmetry_multiplicity",
    "_atom_site_Wyckoff_symbol",
)


def _labels(symbols: list[str]) -> list[str]:
    """C1, C2, N1, …"""
    seen: dict[str, int] = {}
    labels = []
    for symbol in symbols:
        seen[symbol] = seen.get(symbol, 0) + 1
        labels.append(f"{symbol}{seen[symbol]}")
    return labels


def _letter(structure: Structure, site: int) -> str:
    positions = wyckoff_positions(structure.group)
    return positions[-1 if site == GENERAL else site].letter


def to_cif(structure: Structure, name: str | None = None, run: Mapping[str, Any] | None = None) -> str:
    """CIF text of one structure.

    Coordinates have ten decimals and may lie outside [0, 1), which keeps a molecule in one piece. A triclinic
    structure is written in its Niggli-reduced cell.

    Parameters
    ----------
    structure
        From a `StructureBatch`.
    name
        Of the data block; null: `structure_<index>`.
    run
        What determines the structure beside its index (`run_folder.identity_of`): bundle, digests, seed.
    """
    structure = niggli_reduced(structure)
    cell, group = structure.cell, structure.group
    lines = [f"data_{name or f'structure_{structure.index}'}", *_origin(structure, run), *_formula(structure)]
    for tag, value in zip(("a", "b", "c"), cell.parameters[:3], strict=True):
        lines.append(f"_cell_length_{tag}  {value:.8f}")
    for tag, value in zip(("alpha", "beta", "gamma"), cell.parameters[3:], strict=True):
        lines.append(f"_cell_angle_{tag}  {value:.8f}")
    lines.append(f"_cell_volume  {cell.volume:.4f}")
    lines.append(f"_space_group_IT_number  {group.number}")
    if group.hm is not None:
        lines.append(f"_space_group_name_H-M_alt  '{group.hm}'")
    if group.hall is not None:
        lines.append(
            f"_space_group_name_Hall  '{group.hall}'" if "'" not in group.hall else _hall(group.hall)
        )
    lines += ["", "loop_", "_space_group_symop_id", "_space_group_symop_operation_xyz"]
    lines += [f"{k} '{operator}'" for k, operator in enumerate(group.operators, 1)]
    lines += ["", "loop_", *SITE_TAGS]
    for k, label in enumerate(_labels(structure.symbols)):
        x, y, z = structure.fract[k]
        lines.append(
            f"{label} {structure.symbols[k]} {x:.10f} {y:.10f} {z:.10f} {structure.u_iso[k]:.6f} Uiso 1 "
            f"{structure.multiplicity[k]} {_letter(structure, int(structure.site[k]))}"
        )
    return "\n".join(lines) + "\n"


def _origin(structure: Structure, run: Mapping[str, Any] | None) -> list[str]:
    """Items that say how to make the same structure again."""
    lines = ["_audit_creation_method  'xtalpriors generate'", f"_xtalpriors_index  {structure.index}"]
    if run is not None:
        keys = ("seed", "bundle", "priors_digest", "config_digest", "algorithm")
        lines += [f"_xtalpriors_{key}  {gemmi.cif.quote(str(run[key]))}" for key in keys]
    return lines


def _formula(structure: Structure) -> list[str]:
    """Sum formula and Z: the contents of the cell over their greatest common divisor."""
    counts: Counter[str] = Counter()
    for symbol, multiplicity in zip(structure.symbols, structure.multiplicity.tolist(), strict=True):
        counts[symbol] += multiplicity
    z = math.gcd(*counts.values())
    if z == 0:
        return []
    formula = hill_formula({symbol: n / z for symbol, n in counts.items()})
    return [f"_chemical_formula_sum  '{formula}'", f"_cell_formula_units_Z  {z}"]


def _hall(symbol: str) -> str:
    """A Hall symbol with primes (`P 3 -2'`) in double quotes."""
    return f'_space_group_name_Hall  "{symbol}"'
