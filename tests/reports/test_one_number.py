"""A quantity that stands in several places of the page is one number with one interval."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from xtalpriors.paths import published
from xtalpriors.priors.distributions.continuous import LogNormal
from xtalpriors.priors.distributions.estimate import Estimate, GoodnessOfFit, Rival, Shrinkage, fixed
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.html import words
from xtalpriors.reports.inputs import Inputs, gather
from xtalpriors.reports.meta import Rendered
from xtalpriors.reports.section import fit_text, measure_text
from xtalpriors.reports.sections import cells, contents
from xtalpriors.reports.sections.drift import drift_tables
from xtalpriors.reports.sections.fitted_priors import bundle_table
from xtalpriors.reports.sections.paper import PaperRow, compare_with_paper
from xtalpriors.reports.statistics import votes

Fitted = tuple[Path, list[Path], list[Path]]


@pytest.fixture(scope="module")
def inputs(fitted: Fitted) -> Inputs:
    """The made-up database with its two bundles."""
    database, bundles, subsets = fitted
    return gather(database, bundles, subsets)


@pytest.fixture
def captions(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Captions of the sections on cells and contents by figure, without their drawings."""

    def undrawn(module: object, *args: object) -> Rendered:
        name, number, title, frame, meta, caption = args
        return Rendered(name, number, title, caption, "drawn", "", frame, meta)  # type: ignore[arg-type]

    monkeypatch.setattr(contents, "render", undrawn)
    monkeypatch.setattr(cells, "render", undrawn)
    sections = contents.contents_section(inputs), cells.cells_section(inputs)
    return {figure.name: figure.caption for section in sections for figure in section.figures}


def _rows(inputs: Inputs) -> dict[str, PaperRow]:
    frames = {name: subset.frame for name, subset in inputs.subsets.items()}
    return {row.label: row for row in compare_with_paper(inputs.bundles, frames)}


def test_a_share_is_the_same_beside_the_paper_in_the_caption_and_under_the_priors(
    inputs: Inputs, captions: dict[str, str]
) -> None:
    rows = _rows(inputs)
    html = str(bundle_table(inputs.bundles["p21c-10"]).after)
    for figure, label, field in (
        (
            "packing",
            "Volume per non-H atom within 7–22 Å³",
            "Share of structures with 7–22 Å³ per non-hydrogen atom",
        ),
        ("hydrogen", "H mole fraction within 0.3–0.6", "Share of structures with 0.3–0.6 of hydrogen"),
    ):
        row = rows[label]
        low, high = row.interval.split(" … ")
        stated = f"{row.value} ({low} to {high})"
        assert stated in captions[figure]
        assert f"{field}: {stated}" in html


def test_a_median_is_the_same_in_the_caption_and_under_the_priors(
    inputs: Inputs, captions: dict[str, str]
) -> None:
    html = str(bundle_table(inputs.bundles["p21c-10"]).html)
    for figure, name in (("packing", "Volume per non-hydrogen atom"), ("volume", "Volume of the cell")):
        [stated] = re.findall(r"p21c-10[:,] N = [\d,]+, median ([\d.]+ \(.*?\)) Å³", captions[figure])
        row = html.partition(f"<td>{name}</td>")[2].partition("</tr>")[0]
        assert f">{stated}<" in row


def test_an_unknown_value_takes_no_part_of_its_clusters_vote() -> None:
    """Two clusters of two; in one of them one value is unknown: the other has the whole vote."""
    assert votes(["a", "a", "b"]).tolist() == [0.5, 0.5, 1.0]
    assert votes([]).tolist() == []


def test_what_a_range_leaves_out_is_said_in_its_numbers(inputs: Inputs) -> None:
    """As in minerals, where 3.5 % of the structures lie within the range that the paper draws from."""
    small = inputs.small.frame.head(200).reset_index(drop=True)
    small = small.assign(cluster_id=[str(i) for i in range(len(small))], h_fraction=0.0)
    small.loc[:1, "h_fraction"] = 0.4
    rows = {r.label: r for r in compare_with_paper({}, {"p21c-10": small, "all-50": small})}
    row = rows["H mole fraction within 0.3–0.6"]
    share = 2 / len(small)
    assert row.value == f"{100 * share:.1f} %" and row.verdict == f"{100 * (1 - share):.1f} % outside"
    assert row.look == "moved" and "leaves most structures out" in row.words
    assert row.paper == "range it draws from"
    inside = rows["Volume per non-H atom within 7–22 Å³"]
    assert inside.look == "good" and inside.words == ""


def _prior(ks_d: float, rivals: tuple[Rival, ...], shrinkage: Shrinkage | None = None) -> ScalarPrior:
    goodness = GoodnessOfFit(
        ks_d=ks_d, wasserstein=1.0, held_out_log_likelihood=-1.0, best_family=rivals[0].family, rivals=rivals
    )
    return ScalarPrior(
        unit="1",
        convention="made",
        parametric=LogNormal(mu=fixed(1.0), sigma=fixed(0.5)),
        goodness=goodness,
        shrinkage=shrinkage,
    )


def _rival(family: str, ks_d: float) -> Rival:
    return Rival(family=family, held_out_log_likelihood=-1.0, ks_d=ks_d, wasserstein=1.0)


@pytest.mark.parametrize(
    ("ks_d", "rivals", "said"),
    [
        (0.05, [_rival("lognormal", 0.05)], "D = 0.050"),
        (0.05, [_rival("gamma", 0.04), _rival("lognormal", 0.05)], "D = 0.050 (gamma predicts held-out"),
        (0.31, [_rival("gamma", 0.12), _rival("lognormal", 0.31)], "a poor fit (gamma is closer, D = 0.120)"),
        (0.31, [_rival("lognormal", 0.31)], "a poor fit (no form that was tried is closer; use the quantile"),
    ],
)
def test_a_poor_fit_is_flagged_and_the_better_form_named(ks_d: float, rivals: list[Rival], said: str) -> None:
    text = fit_text(_prior(ks_d, tuple(rivals)))
    assert said in text
    assert ("poor" in text) == (ks_d > 0.3)


def test_three_significant_digits_whatever_the_size() -> None:
    assert measure_text(Estimate(value=325.81, low=302.2, high=348.4)) == "326 (302 to 348)"
    assert measure_text(Estimate(value=0.0135593, low=0.01078, high=0.01656)) == "0.0136 (0.0108 to 0.0166)"
    assert measure_text(Estimate(value=-1234.5)) == "−1,234" and measure_text(None) == "–"


def test_what_is_quoted_stands_with_its_condition() -> None:
    """Section 3.5, doi 10.1107/S2053273325009428: said of step 3 of random filling, not of molecules."""
    text = words("generated", "dropped")
    assert "random filling" in text and "reasonable range of the volume per atom" in text


def test_drift_from_the_paper_is_signed_of_one_subset_and_tells_ranges_from_data(fitted: Fitted) -> None:
    database, bundles, subsets = fitted
    inputs = gather(database, [*bundles, published()], subsets)
    [table] = drift_tables(inputs)
    rows = {row.cells[0]: row for row in (*table.moved, *table.still)}
    packing = rows["Volume per non-hydrogen atom"]
    assert packing.cells[2] == "U(7; 22), drawn from"
    prior = inputs.bundles["p21c-10"].priors.packing
    assert prior is not None and prior.median is not None
    assert packing.cells[4].startswith(f"{prior.median.value - 14.5:+.3g} (".replace("-", "−"))
    assert float(packing.cells[5]) >= 0, "the distance has no sign"
    volume = rows["Volume of the cell"]
    assert volume.cells[2] == f"{np.exp(6.04):.4g}" and "drawn" not in volume.cells[2]
    # The paper counts its elements in structures of any group up to 50 Å: they stand beside all-50.
    assert not any("lement" in name or "C, N, O" in name for name in rows)
    assert "“Drawn from” marks a range" in table.lead
