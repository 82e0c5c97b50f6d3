"""Figures of the priors `cell`, `contents` and `bonds`."""

from __future__ import annotations

import numpy as np
import pytest
from fitted_contents import contents_bundle

from xtalpriors.reports.figures.as_measured import bonds, cell, contents
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


@pytest.mark.parametrize("module", [cell, contents, bonds])
def test_without_the_prior_nothing_is_drawn(module: object) -> None:
    frame = module.data(None)  # type: ignore[attr-defined]
    assert render(module, "x", "", "", frame, META, "").svg == ""  # type: ignore[arg-type]


def test_labels_of_the_drawing() -> None:
    frame = contents.data(contents_bundle().priors.contents)
    figure = render(contents, "x", "", "Sets", frame, META, "")
    for svg in (figure.svg, figure.svg_narrow):
        assert "Na Cl" in svg and "% of the structures" in svg
