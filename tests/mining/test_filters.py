"""What each filter of the subsets keeps and drops, one property at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tables import entry, make_database

from xtalpriors.mining.database.store import open_database
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.filters import BEST_OF_CLUSTER, FILTERS

VOLUME = entry("x:1")["volume_angstrom3"]

KEPT_AND_DROPPED: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "not_retracted": ([{"is_retracted": False}], [{"is_retracted": True}]),
    "no_errors": ([{"has_errors": False}], [{"has_errors": True}]),
    "no_warnings": ([{"has_warnings": False}], [{"has_warnings": True}]),
    "not_duplicate": ([{"is_duplicate": False}], [{"is_duplicate": True}]),
    "not_suboptimal": ([{"is_suboptimal": False}], [{"is_suboptimal": True}]),
    "not_on_hold": ([{"on_hold_until": None}], [{"on_hold_until": "2030-01-01"}]),
    "not_theoretical": ([{"is_theoretical": False}], [{"is_theoretical": True}]),
    "not_superspace": ([{"is_superspace": False}], [{"is_superspace": True}]),
    "not_macromolecule": ([{"is_macromolecule": False}], [{"is_macromolecule": True}]),
    "single_crystal": ([{"method": "single crystal"}], [{"method": "powder diffraction"}, {"method": None}]),
    "not_powder": ([{"is_powder": False}], [{"is_powder": True}]),
    "not_electron": ([{"is_electron": False}], [{"is_electron": True}]),
    "temperature_known": ([{"temperature_kelvin": 293.0}], [{"temperature_kelvin": None}]),
    "ambient_pressure": (
        [{"pressure_kilopascal": 101.3}, {"pressure_kilopascal": None}],
        [
            {"pressure_kilopascal": 200.0},
            {"pressure_kilopascal": 5e6},
            {"pressure_kilopascal": None, "notes": "pressure-limit"},
            {"pressure_kilopascal": None, "notes": "a;pressure-unclear"},
        ],
    ),
    "has_structure_factors": ([{"has_structure_factors": True}], [{"has_structure_factors": False}]),
    "has_coordinates": ([{"n_sites": 1}], [{"n_sites": 0}]),
    "composition_agrees": (
        [{"composition_agreement": "agree"}, {"composition_agreement": "multiple"}],
        [{"composition_agreement": how} for how in ("hydrogen", "disagree", "no-formula", "no-sites")],
    ),
    "composition_not_contradicted": (
        [{"composition_agreement": "agree"}, {"composition_agreement": "no-formula"}],
        [{"composition_agreement": "disagree"}],
    ),
    "no_overfull_positions": (
        [{"notes": None}, {"notes": "unknown-occupancy"}],
        [{"notes": "overfull-position"}, {"notes": "a;overfull-position;b"}],
    ),
    "volume_plausible": (
        [{"notes": None}, {"notes": "density-mismatch"}],
        [{"notes": "volume-implausible"}, {"notes": "a;volume-implausible;b"}],
    ),
    "sites_known": (
        [
            {"notes": None},
            {"notes": "occupancy-out-of-range;sites-without-coordinates"},
            {"notes": "atoms-without-coordinates", "composition_agreement": "hydrogen"},
            {"notes": "dummy-labelled-as-atom", "composition_agreement": "agree"},
        ],
        [
            {"notes": "mixed-type-symbol;unknown-element", "composition_agreement": "agree"},
            {"notes": "occupancy-impossible"},
            {"notes": "atoms-without-coordinates", "composition_agreement": "no-formula"},
            {"notes": "dummy-labelled-as-atom", "composition_agreement": "disagree"},
        ],
    ),
    "hydrogen_known": ([{"hydrogen_origin": "none"}], [{"hydrogen_origin": None}]),
    "no_disorder": ([{"has_disorder": False}], [{"has_disorder": True}]),
    "no_partial_occupancy": ([{"has_partial_occupancy": False}], [{"has_partial_occupancy": True}]),
    "no_mixed_sites": ([{"has_mixed_sites": False}], [{"has_mixed_sites": True}]),
    "has_u_iso": ([{"u_iso_n": 1}], [{"u_iso_n": 0}]),
    "symmetry_agrees": (
        [
            {"sg_agreement": "agree"},
            {"sg_agreement": "unread"},
            {"sg_agreement": "disagree", "notes": "decided-by-formula;symbol-contradicted"},
        ],
        [{"sg_agreement": "disagree"}, {"sg_agreement": "disagree", "notes": "symmetry-contradicted"}],
    ),
    "volume_agrees": (
        [{"volume_declared_angstrom3": x} for x in (None, 0.985 * VOLUME, VOLUME, 1.015 * VOLUME)],
        [{"volume_declared_angstrom3": x} for x in (0.5 * VOLUME, 0.975 * VOLUME, 1.025 * VOLUME)],
    ),
    "cell_not_contradicted": (
        [{"notes": "density-mismatch;volume-mismatch"}],
        [{"notes": "cell-contradicted;density-mismatch;volume-mismatch"}],
    ),
    "cell_agrees": ([{"notes": "volume-mismatch"}], [{"notes": "volume-mismatch;cell-contradicts-group"}]),
    "angles_known": (
        [{"notes": None}, {"notes": "angle-by-default;angle-from-volume"}],
        [{"notes": "angle-by-default;angle-unclear"}],
    ),
    "centrosymmetric": ([{"centrosymmetric": True}], [{"centrosymmetric": False}]),
    "non_centrosymmetric": ([{"centrosymmetric": False}], [{"centrosymmetric": True}]),
    "organic": ([{"class": "organic"}], [{"class": "metal-organic"}, {"class": None}]),
    "metal_organic": ([{"class": "metal-organic"}], [{"class": "organic"}, {"class": None}]),
    "inorganic": ([{"class": "inorganic"}], [{"class": "organic"}, {"class": None}]),
}


def test_every_filter_has_its_cases() -> None:
    assert {*KEPT_AND_DROPPED, BEST_OF_CLUSTER} == set(FILTERS)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An entry for each case, `x:FILTER-kept-0` and so on."""
    rows = [
        entry(f"x:{name}-{what}-{i}", **columns)
        for name, cases in KEPT_AND_DROPPED.items()
        for what, sides in zip(("kept", "dropped"), cases, strict=True)
        for i, columns in enumerate(sides)
    ]
    return make_database(tmp_path_factory.mktemp("filters") / "crystals.duckdb", rows)


@pytest.mark.parametrize("name", KEPT_AND_DROPPED)
def test_a_filter_keeps_and_drops_what_it_says(name: str, database: Path) -> None:
    ((_, condition),) = SubsetDefinition(name="one", filters=(name,)).filter_sql()
    with open_database(database) as connection:
        rows = connection.execute(
            f"SELECT entry_id, {condition} FROM entry WHERE starts_with(entry_id, 'x:{name}-')"
        ).fetchall()
    kept, dropped = KEPT_AND_DROPPED[name]
    assert len(rows) == len(kept) + len(dropped)
    for entry_id, is_kept in rows:
        assert is_kept is ("-kept-" in entry_id), entry_id
