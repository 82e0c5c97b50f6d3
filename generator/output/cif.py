"""Structures as CIF text: cell, symbol and operators of the setting, and the sites of the asymmetric unit."""

from __future__ import annotations

from xtalpriors.crystal.wyckoff.table import wyckoff_positions
from xtalpriors.generator.counters import GENERAL
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


def to_cif(structure: Structure, name: str | None = None) -> str:
    """CIF text of one structure.

    Coordinates have ten decimals and may lie outside [0, 1), which keeps a molecule in one piece.

    Parameters
    ----------
    structure
        From a `StructureBatch`.
    name
        Of the data block; null: `structure_<index>`.
    """
    cell, group = structure.cell, structure.group
    lines = [f"data_{name or f'structure_{structure.index}'}"]
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


def _hall(symbol: str) -> str:
    """A Hall symbol with primes (`P 3 -2'`) in double quotes."""
    return f'_space_group_name_Hall  "{symbol}"'
