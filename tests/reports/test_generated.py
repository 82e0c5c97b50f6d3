"""Generated sets measured by hand, and their section of the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig, space_group_of
from xtalpriors.generator.counters import COUNTERS, GENERAL
from xtalpriors.generator.output.parquet import write_parquet
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.reports.build import build_report
from xtalpriors.reports.figures import molecules
from xtalpriors.reports.generated_data import read_generated
from xtalpriors.reports.measures import batch_statistics, element_shares
from xtalpriors.reports.meta import FigureMeta, Sample
from xtalpriors.reports.style import figure_style, render_svg


def _batch(group: SpaceGroup) -> StructureBatch:
    """Two cells of P2₁/c: an iron on a centre with a C–H beside it; two carbons."""
    half = group.order // 2
    return StructureBatch(
        group=group,
        index=np.array([0, 1]),
        offsets=np.array([0, 3, 5]),
        cell=np.array([[5.0, 8, 6, 90, 100, 90], [6.0, 6, 6, 90, 90, 90]]),
        counters=np.zeros((2, len(COUNTERS)), np.int32),
        element=np.array([26, 6, 1, 6, 6], np.uint8),
        fract=np.array([[0, 0, 0], [0.3, 0.1, 0.2], [0.45, 0.15, 0.2], [0.1, 0.1, 0.1], [0.35, 0.1, 0.1]]),
        u_iso=np.array([0.01, 0.03, 0.5, 0.02, 0.04], np.float32),
        multiplicity=np.array([half, 4, 4, 4, 4], np.int16),
        site=np.array([0, GENERAL, GENERAL, GENERAL, GENERAL], np.uint8),
    )


@pytest.fixture(scope="module")
def p21c() -> SpaceGroup:
    return space_group_of("P 1 21/c 1")


def test_statistics_by_hand(p21c: SpaceGroup) -> None:
    values = batch_statistics(_batch(p21c))
    volume = 240 * np.sin(np.radians(100))
    assert values["volume"] == pytest.approx([volume, 216])
    assert values["packing"] == pytest.approx([volume / 6, 216 / 8])
    assert values["hydrogen"] == pytest.approx([4 / 10, 0])
    assert values["displacement"] == pytest.approx([0.02, 0.03])
    assert values["angle"] == pytest.approx([100, 90])
    assert values["upper"] == pytest.approx([8 / 6, 1])
    assert element_shares(_batch(p21c), special=True) == {"Fe": 1.0}
    assert element_shares(_batch(p21c), special=False) == {"C": 1.0}


def test_molecules_keep_their_bond_lengths_in_the_drawing(p21c: SpaceGroup) -> None:
    batch = _batch(p21c)
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
        write_parquet(_batch(p21c), sets[-1], run | {"config": config})
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
    write_parquet(_batch(space_group_of("P 21 21 21")), path, {})
    page = build_report(database, [], tmp_path / "r", generated=[path]).read_text()
    assert "ortho (no. 19)" in page
    assert not (tmp_path / "r" / "figures" / "generated-lengths.svg").exists()


def test_unreadable_sets_are_errors(tmp_path: Path, p21c: SpaceGroup) -> None:
    with pytest.raises(XtalpriorsError, match="gone"):
        read_generated(tmp_path / "gone.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(XtalpriorsError, match="no generated structures"):
        read_generated(tmp_path / "other.parquet")
