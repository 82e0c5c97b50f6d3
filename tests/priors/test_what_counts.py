"""Which structures count for a prior: unknown hydrogen, unknown occupancies, bounds of temperature bands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tables import entry, make_database, site

from xtalpriors.mining import DEFAULT_SUBSETS, write_subset
from xtalpriors.priors.fitting.fit import fit_table
from xtalpriors.priors.fitting.scalars import quantile_table
from xtalpriors.priors.fitting.subset_table import SubsetTable, read_subset

Make = Callable[..., SubsetTable]


def test_structures_whose_hydrogen_nobody_knows_are_left_out(table_of: Make) -> None:
    """40 structures of known hydrogen, a quarter of them without any, and 60 with 0 for want of sites."""
    fractions = [0.0] * 10 + list(np.linspace(0.3, 0.6, 30)) + [0.0] * 60
    origins = ["none"] * 10 + ["sites"] * 30 + [None] * 60
    table = table_of(100, strings={"hydrogen_origin": origins}, sg_number=2, h_fraction=fractions)
    hydrogen = fit_table(table, bootstrap=200).priors.hydrogen
    assert hydrogen is not None and hydrogen.share_zero is not None
    assert (hydrogen.n, hydrogen.n_unknown) == (40, 60)
    assert hydrogen.share_zero.value == pytest.approx(0.25)
    assert hydrogen.h_unknown is not None
    assert hydrogen.h_unknown.value == pytest.approx(0.6)


def test_hydrogen_has_no_site_and_an_unknown_element_keeps_its_displacement(tmp_path: Path) -> None:
    """A carbon, a hydrogen and a site without element: two sites are left, one of them with an element."""
    rows = [entry("x:1")]
    sites = [site("x:1", i, "C", u_iso_angstrom2=0.01 * (i + 1), u_is_evidence=True) for i in range(3)]
    sites[1]["element"], sites[2]["element"] = "H", None
    database = make_database(tmp_path / "d.duckdb", rows, sites)
    write_subset(database, DEFAULT_SUBSETS["p21c-10"], tmp_path / "s.parquet")
    table = read_subset(tmp_path / "s.parquet")
    assert table.site_strings["element"].labels == ("C",)
    np.testing.assert_allclose(table.site_numbers["u_iso_angstrom2"], [0.01, 0.03])


def test_a_quantile_table_has_each_value_in_the_middle_of_its_weight() -> None:
    """For equal weights these are Hazen's quantiles (1914), which NumPy has too; of 0 … 399 half is 199.5."""
    x = np.sort(np.random.default_rng(4).lognormal(size=400))
    levels = np.arange(1, 100) / 100
    table = quantile_table(x, np.ones(400))
    np.testing.assert_allclose(table.quantile(levels), np.quantile(x, levels, method="hazen"), rtol=1e-12)
    even = quantile_table(np.arange(400.0), np.ones(400))
    assert float(even.quantile(0.5)) == pytest.approx(199.5)


def test_an_unknown_occupancy_adds_nothing(table_of: Make) -> None:
    """Each of 40 structures has a full C and an O of unknown occupancy: two sites, one occupied by C."""
    sites = {
        "entry": np.repeat(np.arange(40), 2),
        "element": ["C", "O"] * 40,
        "occupancy": [1.0, np.nan] * 40,
    }
    elements = fit_table(table_of(40, sites=sites, sg_number=2), bootstrap=200).priors.elements
    assert elements is not None and elements.general.by_occupancy is not None
    assert elements.general.per_site.share("C") == pytest.approx(0.5)
    assert elements.general.by_occupancy.share("C") == pytest.approx(1.0)


def test_every_temperature_is_in_one_band(table_of: Make) -> None:
    """25 structures at the lower end of each band: none is lost, none counted twice."""
    rng = np.random.default_rng(3)
    u = rng.lognormal(-3, 0.5, 200)
    sites = {
        "entry": np.repeat(np.arange(100), 2),
        "element": ["C", "O"] * 100,
        "u_iso_angstrom2": u,
        "u_is_evidence": np.ones(200, bool),
    }
    table = table_of(
        100,
        sites=sites,
        sg_number=2,
        u_iso_n=2,
        u_iso_mean_angstrom2=u.reshape(-1, 2).mean(axis=1),
        temperature_kelvin=np.repeat([0.0, 130.0, 250.0, 330.0], 25),
    )
    displacement = fit_table(table, bootstrap=200).priors.displacement
    assert displacement is not None
    assert {name: prior.n for name, prior in displacement.by_temperature.items()} == dict.fromkeys(
        ("below-130-K", "130-250-K", "250-330-K", "above-330-K"), 25
    )
