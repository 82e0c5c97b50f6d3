"""The filters that a subset may name: each a predicate over the columns of `entry`, with its meaning.

A predicate is true or false for every entry: what a column does not know is decided here, in the open.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["BEST_OF_CLUSTER", "FILTERS", "Filter", "check_filter_names"]


class Filter(NamedTuple):
    """A named condition: what it keeps, in words and in SQL over `entry`."""

    name: str
    keeps: str
    sql: str


BEST_OF_CLUSTER: Final = "best_of_cluster"
"""Applied after all others, to what they kept: else a cluster whose best entry is dropped would be lost."""


def _noted(code: str) -> str:
    """SQL: the entry has this note."""
    return f"contains(';' || coalesce(notes, '') || ';', ';{code};')"


_FILTERS: tuple[Filter, ...] = (
    # status
    Filter("not_retracted", "Entries not marked retracted", "NOT is_retracted"),
    Filter("no_errors", "Entries not marked as having errors", "NOT has_errors"),
    Filter("no_warnings", "Entries not marked with a warning", "NOT has_warnings"),
    Filter("not_duplicate", "Entries not marked a duplicate of another", "NOT is_duplicate"),
    Filter(
        "not_suboptimal", "Entries without a better determination, by their own mark", "NOT is_suboptimal"
    ),
    Filter("not_on_hold", "Entries without a hold date", "on_hold_until IS NULL"),
    Filter("not_theoretical", "Measured structures", "NOT is_theoretical"),
    Filter("not_superspace", "Structures described in three dimensions", "NOT is_superspace"),
    Filter("not_macromolecule", "No proteins or nucleic acids", "NOT is_macromolecule"),
    # experiment
    Filter(
        "single_crystal",
        "Single-crystal data, by the entry's own word",
        "method IS NOT DISTINCT FROM 'single crystal'",
    ),
    Filter("not_powder", "Not from powder data", "NOT is_powder"),
    Filter("not_electron", "Not from electron diffraction", "NOT is_electron"),
    Filter("temperature_known", "Entries that state a temperature", "temperature_kelvin IS NOT NULL"),
    Filter(
        "ambient_pressure",
        "Pressure below 200 kPa, or nothing stated of it: neither a number, nor a limit, nor a remark",
        f"coalesce(pressure_kilopascal, 0) < 200 AND NOT {_noted('pressure-limit')} AND "
        f"NOT {_noted('pressure-unclear')}",
    ),
    Filter("has_structure_factors", "Observed reflections exist", "has_structure_factors"),
    # model
    Filter("has_coordinates", "At least one site with coordinates", "n_sites > 0"),
    Filter(
        "composition_agrees",
        "The sites explain the declared formula, for some number of formula units",
        "composition_agreement IN ('agree', 'multiple')",
    ),
    Filter(
        "composition_not_contradicted",
        "The sites do not contradict the declared formula, or there is none",
        "composition_agreement <> 'disagree'",
    ),
    Filter(
        "no_overfull_positions",
        "No position holds more than one atom, by the occupancies of what is no hydrogen",
        f"NOT {_noted('overfull-position')}",
    ),
    Filter(
        "volume_plausible",
        "The cell has room for its atoms, and is not several times too large for them",
        f"NOT {_noted('volume-implausible')}",
    ),
    Filter(
        "sites_known",
        "Every site has an element and a possible occupancy; every atom but hydrogen has a place, or "
        "the formula agrees without it",
        f"NOT ({_noted('unknown-element')} OR {_noted('occupancy-impossible')}) AND "
        "(composition_agreement IN ('agree', 'multiple', 'hydrogen') OR NOT "
        f"({_noted('atoms-without-coordinates')} OR {_noted('dummy-labelled-as-atom')}))",
    ),
    Filter("hydrogen_known", "The number of hydrogen atoms is known", "hydrogen_origin IS NOT NULL"),
    Filter("no_disorder", "No disordered sites", "NOT has_disorder"),
    Filter("no_partial_occupancy", "Every occupancy is 1", "NOT has_partial_occupancy"),
    Filter("no_mixed_sites", "No two elements on one position", "NOT has_mixed_sites"),
    Filter("has_u_iso", "At least one displacement parameter that is evidence", "u_iso_n > 0"),
    Filter(
        "symmetry_agrees",
        "Operators and symbol do not disagree, or the contents confirm the operators",
        f"sg_agreement <> 'disagree' OR {_noted('symbol-contradicted')}",
    ),
    Filter(
        "volume_agrees",
        "Declared and recomputed volume within 2 %, or none declared",
        "coalesce(abs(volume_declared_angstrom3 / volume_angstrom3 - 1) < 0.02, "
        "volume_declared_angstrom3 IS NULL)",
    ),
    Filter(
        "cell_not_contradicted",
        "Declared volume and density do not agree with each other and contradict the cell",
        f"NOT {_noted('cell-contradicted')}",
    ),
    Filter(
        "cell_agrees",
        "The cell has the symmetry of the group, within 1 %",
        f"NOT {_noted('cell-contradicts-group')}",
    ),
    Filter(
        "angles_known",
        "The angles of the cell are stated, fixed by the group, or told by the volume",
        f"NOT {_noted('angle-unclear')}",
    ),
    # symmetry and class
    Filter("centrosymmetric", "The group contains an inversion", "centrosymmetric"),
    Filter("non_centrosymmetric", "The group contains no inversion", "NOT centrosymmetric"),
    Filter("organic", "Organic compounds", "class IS NOT DISTINCT FROM 'organic'"),
    Filter("metal_organic", "Metal-organic compounds", "class IS NOT DISTINCT FROM 'metal-organic'"),
    Filter("inorganic", "Inorganic compounds", "class IS NOT DISTINCT FROM 'inorganic'"),
    # redeterminations
    Filter(BEST_OF_CLUSTER, "The best of each cluster, among what the other filters kept", "true"),
)

FILTERS: Final[dict[str, Filter]] = {f.name: f for f in _FILTERS}
"""Every filter by its name, in the order of the documentation."""


def check_filter_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names as given, once it is sure that each is known and none is there twice.

    Raises
    ------
    ValueError
        An unknown name (the message offers the nearest ones) or a repeated one.
    """
    checked: list[str] = []
    for name in names:
        if name not in FILTERS:
            near = difflib.get_close_matches(name, FILTERS, n=3, cutoff=0.4)
            offer = f"the nearest are {', '.join(near)}" if near else f"there are {', '.join(FILTERS)}"
            raise ValueError(f"there is no filter '{name}'; {offer}")
        if name in checked:
            raise ValueError(f"the filter '{name}' is named twice")
        checked.append(name)
    return tuple(checked)
