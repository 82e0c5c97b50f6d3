"""Generated sets measured by hand, and their section of the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_inputs import made_batch

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig, space_group_of
from xtalpriors.generator.output.parquet import write_parquet
from xtalpriors.reports.build import build_report
from xtalpriors.reports.figures import molecules
from xtalpriors.reports.generated_data import read_generated
from xtalpriors.reports.measures import batch_statistics, element_shares
from xtalpriors.reports.meta import FigureMeta, Sample
from xtalpriors.reports.style import figure_style, render_svg


@pytest.fixture(scope="module")
def p21c() -> SpaceGroup:
    return space_group_of("P 1 21/c 1")


def test_statistics_by_hand(p21c: SpaceGroup) -> None:
    values = batch_statistics(made_batch(p21c))
    volume = 240 * np.sin(np.radians(100))
    assert values["volume"] == pytest.approx([volume, 216])
    assert values["packing"] == pytest.approx([volume / 6, 216 / 8])
    assert values["hydrogen"] == pytest.approx([4 / 10, 0])
    assert values["displacement"] == pytest.approx([0.02, 0.03])
    assert values["angle"] == pytest.approx([100, 90])
    assert values["upper"] == pytest.approx([8 / 6, 1])
    assert element_shares(made_batch(p21c), special=True) == {"Fe": 1.0}
    assert element_shares(made_batch(p21c), special=False) == {"C": 1.0}


def test_molecules_keep_their_bond_lengths_in_the_drawing(p21c: SpaceGroup) -> None:
    batch = made_batch(p21c)
    frame = molecules.data([batch[0], batch[1]])
    second = frame[frame["structure"] == 1][["x", "y", "depth"]].to_numpy()
    # 0.25 of a = 6 Å, whatever the view.
    assert np.linalg.norm(second[0] - second[1]) == pytest.approx(1.5, abs=1e-5)
    meta = FigureMeta("made", (Sample("p21c-10", 2),), "no cell", None)
    drawn = []
    for _ in range(2):
        with figure_style("m"):
            drawn.append(render_svg(molecules.draw(frame, meta), meta.footer(130)))
    assert drawn[0] == drawn[1]
    assert "Fe" in drawn[0]


def test_a_generated_set_has_its_section(database: Path, tmp_path: Path, p21c: SpaceGroup) -> None:
    run = {"bundle": "melgalvis-2026", "priors_digest": "0" * 32}
    sets = []
    for filling in ("molecules", "random"):
        sets.append(tmp_path / f"lognormal-{filling}.parquet")
        config = GeneratorConfig(filling=filling).model_dump(mode="json")
        write_parquet(made_batch(p21c), sets[-1], run | {"config": config})
    page = build_report(database, [], tmp_path / "r", generated=sets).read_text()
    assert "Synthetic-to-real gap" in page and "lognormal-random from melgalvis-2026" in page
    gap = pd.read_csv(tmp_path / "r" / "figures" / "gap.csv")
    assert set(gap["strategy"]) == {"lognormal-molecules", "lognormal-random"}
    of_volume = gap[gap["statistic"] == "Cell volume V"]
    assert ((of_volume["distance"] > 0) & (of_volume["distance"] <= 1)).all()
    # One structure of two has a special position; of the database's P2₁/c a third have none, one, two each.
    special = gap[gap["statistic"].str.startswith("Special positions")]["distance"]
    assert special.between(0.2, 0.5).all()
    distances = pd.read_csv(tmp_path / "r" / "figures" / "generated-lengths.csv")
    assert (distances["kind"] == "distance").sum() == 6


def test_another_space_group_is_left_out_and_said(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "ortho.parquet"
    write_parquet(made_batch(space_group_of("P 21 21 21")), path, {})
    page = build_report(database, [], tmp_path / "r", generated=[path]).read_text()
    assert "ortho (no. 19)" in page
    assert not (tmp_path / "r" / "figures" / "generated-lengths.svg").exists()


def test_unreadable_sets_are_errors(tmp_path: Path, p21c: SpaceGroup) -> None:
    with pytest.raises(XtalpriorsError, match="gone"):
        read_generated(tmp_path / "gone.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(XtalpriorsError, match="no generated structures"):
        read_generated(tmp_path / "other.parquet")
