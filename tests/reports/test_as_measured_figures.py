"""Figures of the priors `cell`, `contents`, `bonds` and `coordination`."""

from __future__ import annotations

import numpy as np
import pytest
from fitted_contents import contents_bundle

from xtalpriors.priors.distributions.distribution import Counts, Empirical, fixed
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.kinds.coordination import Coordination, Shell
from xtalpriors.reports.figures.as_measured import bonds, cell, contents, coordination
from xtalpriors.reports.meta import FigureMeta, Sample
from xtalpriors.reports.section import render

META = FigureMeta("made", (Sample("p21c-10", 100, 100),), "declared", None)


def test_the_strongest_correlation_stands_first() -> None:
    prior = contents_bundle().priors.cell
    assert prior is not None
    frame = cell.data(prior.families["monoclinic"])
    known = prior.families["monoclinic"].variables
    assert len(frame) == len(known) * (len(known) - 1) / 2
    assert {*frame["first"], *frame["second"]} == set(known) <= set(cell.NAMES)
    assert (frame["correlation"].abs().diff().dropna() <= 0).all()


def test_the_commonest_set_stands_first() -> None:
    frame = contents.data(contents_bundle().priors.contents)
    assert frame["elements"].tolist() == ["C O H", "Na Cl"]
    assert frame["share"].tolist() == [0.6, 0.4]


def test_only_pairs_that_bond_are_drawn() -> None:
    """Na and Cl bond at 0.95–1.05 of their radii, with ln g = 3; carbon and sodium never meet."""
    made = contents_bundle().priors.bonds
    assert made is not None
    named = {name: made.pooled[name] for name in ("Cl & Na", "C & Na")}
    frame = bonds.data(made.model_copy(update={"pairs": named}))
    assert set(frame["pair"]) == {"Cl & Na"}
    peak = frame[frame["g"] > 10]
    assert peak["low"].min() > 0.9 and peak["high"].max() < 1.1
    assert peak["g"].to_numpy() == pytest.approx(np.exp(3.0))


def test_angles_of_the_commonest_elements_with_two_bonds_are_drawn() -> None:
    """Five elements: one without angles, one that is known by its kind only."""

    def shell(n: int, angle: float | None, *, of_kind: bool = False) -> Shell:
        table = None if angle is None else Empirical(probabilities=(0.0, 1.0), values=(angle, angle + 5.0))
        return Shell(
            n_clusters=n,
            of_kind=of_kind,
            numbers=Counts(probabilities=(fixed(0.5), fixed(0.5))),
            angle=None if table is None else ScalarPrior(unit="degree", convention="", empirical=table),
        )

    shells = {
        "O": shell(90, None), "Xe": shell(99, 90.0, of_kind=True), "C": shell(80, 115.0),
        "S": shell(70, 100.0), "Si": shell(60, 107.0),
    }  # fmt: skip
    frame = coordination.data(Coordination(convention="", bond_max=1.25, elements=shells))
    assert frame["element"].unique().tolist() == ["C", "S", "Si"]
    assert frame["angle"].tolist() == [115.0, 120.0, 100.0, 105.0, 107.0, 112.0]
    assert "angle between two neighbours" in render(coordination, "x", "", "Angles", frame, META, "").svg


@pytest.mark.parametrize("module", [cell, contents, bonds, coordination])
def test_without_the_prior_nothing_is_drawn(module: object) -> None:
    frame = module.data(None)  # type: ignore[attr-defined]
    assert render(module, "x", "", "", frame, META, "").svg == ""  # type: ignore[arg-type]


def test_labels_of_the_drawing() -> None:
    frame = contents.data(contents_bundle().priors.contents)
    figure = render(contents, "x", "", "Sets", frame, META, "")
    for svg in (figure.svg, figure.svg_narrow):
        assert "Na Cl" in svg and "% of the structures" in svg
