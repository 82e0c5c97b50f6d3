"""Names of quantities for readers: `displacement.mean.parametric.mu` is “Mean U_iso of a structure, μ”."""

from __future__ import annotations

from typing import Final

__all__ = ["quantity"]

_QUANTITIES: Final = {
    "axis_ratio": "Ratios of the cell's lengths",
    "axis_ratio.longest": "Longest length of the cell",
    "axis_ratio.longest_over_middle": "Longest over middle length",
    "axis_ratio.middle_over_shortest": "Middle over shortest length",
    "axis_ratio.share_beyond_ratio_max": "Share of cells with a ratio beyond the generator's limit",
    "bonds": "Neighbours by pair of elements",
    "cell": "Cells as a whole",
    "cell.families": "Cells as a whole",
    "cell_volume": "Volume of the cell",
    "cell_volume.share_160_1000": "Share of volumes within 160–1000 Å³",
    "contents": "Sets of elements",
    "contents.sets": "Sets of elements",
    "coordination": "Neighbours of an atom",
    "coordination.elements": "Neighbours of an atom",
    "diffraction": "Resolution and completeness",
    "diffraction.completeness": "Completeness of the data",
    "diffraction.d_min": "Resolution of the data",
    "displacement": "Displacement of atoms",
    "displacement.by_element": "U_iso",
    "displacement.by_temperature": "Mean U_iso of a structure measured",
    "displacement.deviation": "U_iso of an atom less the mean of its structure",
    "displacement.mean": "Mean U_iso of a structure",
    "displacement.ratio": "U_iso of an atom over the mean of its structure",
    "distances": "Distances between atoms",
    "distances.distance": "Distances between atoms",
    "distances.over_radii": "Distances over the sum of covalent radii",
    "elements": "Elements",
    "elements.general": "Elements on general positions",
    "elements.special": "Elements on special positions",
    "hydrogen": "Mole fraction of hydrogen",
    "hydrogen.share_30_60": "Share of structures with 0.3–0.6 of hydrogen",
    "hydrogen.share_zero": "Share of structures without hydrogen",
    "monoclinic_angle": "Monoclinic angle",
    "monoclinic_angle.declared": "Declared cell",
    "monoclinic_angle.declared.beta": "Monoclinic angle β, declared cell",
    "monoclinic_angle.declared.skew": "Skew tan(β − 90°), declared cell",
    "monoclinic_angle.least_oblique": "Least-oblique cell",
    "monoclinic_angle.least_oblique.beta": "Monoclinic angle β, least-oblique cell",
    "monoclinic_angle.least_oblique.skew": "Skew tan(β − 90°), least-oblique cell",
    "packing": "Volume per non-hydrogen atom",
    "packing.atoms_per_cell": "Non-hydrogen atoms in the cell",
    "packing.share_7_22": "Share of structures with 7–22 Å³ per non-hydrogen atom",
    "space_groups": "Space groups",
    "space_groups.numbers": "Space groups",
    "space_groups.settings": "Settings of the space groups",
    "special_positions": "Special positions",
    "special_positions.groups": "Special positions",
    "special_positions.number_occupied": "Number of special positions occupied",
    "triclinic_skew": "Skew of triclinic cells",
    "triclinic_skew.alpha": "Triclinic angle α",
    "triclinic_skew.beta": "Triclinic angle β",
    "triclinic_skew.gamma": "Triclinic angle γ",
    "triclinic_skew.s1": "Triclinic skew s₁",
    "triclinic_skew.s2": "Triclinic skew s₂",
    "triclinic_skew.s3": "Triclinic skew s₃",
    "triclinic_skew.share_acute": "Share of triclinic cells with acute angles",
}
"""By the dotted name in a bundle."""

_PARTS: Final = {
    "a": "first exponent a",
    "angle": "angle between two",
    "b": "second exponent b",
    "by_occupancy": "weighted by occupancy",
    "axis_order": "order of the lengths",
    "hydrogen_fraction": "mole fraction of hydrogen",
    "longest": "longest length",
    "u_iso_mean": "mean U_iso",
    "u_iso_spread": "spread of U_iso",
    "volume_per_atom": "volume per non-hydrogen atom",
    "correlations": "correlation",
    "mean": "mean",
    "median": "median",
    "mu": "μ",
    "numbers": "how many",
    "number_occupied": "number occupied",
    "p_zero": "share of zero",
    "per_site": "by site",
    "probability": "probability to be occupied",
    "rate": "rate",
    "ratio_longest": "longest over middle length",
    "ratio_middle": "middle over shortest length",
    "ratio_unique": "unique over other length",
    "ratio": "over the mean of its structure",
    "scale": "scale",
    "sd": "standard deviation",
    "sd_log_ratio": "spread of the logarithm of that ratio",
    "shape": "shape",
    "share": "share",
    "share_acute": "share of acute ones",
    "share_beyond_beta_max": "share of angles beyond the generator's limit",
    "share_cno": "share of C, N and O",
    "sigma": "σ",
}
"""Last words of a dotted name: statistics and parameters."""

_SHELLS: Final = {"numbers": "Number of neighbours of {}", "angle": "Angle between two bonds of {}"}
"""By the last word of a name below `coordination.elements`."""

_UNSAID: Final = {"parametric", "wyckoff_sets", "variables", "value"}
"""Parts of a dotted name that tell a reader nothing."""


def quantity(path: str) -> str:
    """The name of a quantity from its dotted name in a bundle; what is not known is printed with blanks."""
    parts = path.split(".")
    known = next((k for k in range(len(parts), 0, -1) if ".".join(parts[:k]) in _QUANTITIES), 0)
    name = _QUANTITIES[".".join(parts[:known])] if known else parts[0].replace("_", " ")
    rest = [part for part in parts[max(known, 1) :] if part not in _UNSAID]
    if rest and parts[0] == "special_positions" and rest[0].isdigit():
        name, rest = f"{name} of space group no. {rest[0]}", rest[1:]
        if rest and rest[0] not in _PARTS:
            name, rest = f"{name}, Wyckoff letters {', '.join(rest[0])}", rest[1:]
    elif len(parts) > 3 and parts[:2] == ["cell", "families"]:
        name, rest = f"{parts[2].capitalize()} cells", rest[1:]
    elif len(parts) > 3 and parts[:2] == ["coordination", "elements"]:
        name, rest = (_SHELLS[parts[3]].format(rest[0]), rest[2:]) if parts[3] in _SHELLS else (name, rest)
    elif parts[0] == "bonds" and parts[3:4] == ["length"]:
        name, rest = f"Bonds {parts[2].replace(' & ', '–')} over the sum of radii", parts[4:]
    elif rest and parts[:2] == ["contents", "sets"]:
        name, rest = f"Structures of {rest[0]}", rest[1:]
    elif rest and parts[:2] == ["displacement", "by_temperature"]:
        name, rest = f"{name} {_temperature(rest[0])}", rest[1:]
    elif rest and parts[:2] == ["displacement", "by_element"]:
        name, rest = f"{name} of {rest[0]}", rest[1:]
    return ", ".join([name, *(_PARTS.get(part, part.replace("_", " ")) for part in rest)])


def _temperature(key: str) -> str:
    """`130-250-K` is “at 130–250 K”, `below-130-K` “below 130 K”."""
    if key == "unknown":
        return "at a temperature that is not stated"
    text = key.removesuffix("-K")
    return f"at {text.replace('-', '–')} K" if text[0].isdigit() else f"{text.replace('-', ' ')} K"
