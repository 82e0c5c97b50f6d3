"""The paper's tables as typed, strategies in their layout, slabs of density, and files from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from phasing_crystals import P21C, Oracle, card_of, cif_text, structures, untrained

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.write import write_subset
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.weights import save_model
from xtalpriors.model.scoring.diffraction import calculate
from xtalpriors.model.scoring.evaluate import evaluate
from xtalpriors.model.scoring.evaluate_subsets import Selection, evaluate_subsets
from xtalpriors.model.scoring.evaluation_table import maps_path, read_evaluation, summary_path
from xtalpriors.model.scoring.paper_tables import PAPER_TABLES, strategy_table
from xtalpriors.model.scoring.projection import HALF_WIDTH_ANGSTROM, STEP_ANGSTROM, projections
from xtalpriors.model.scoring.runs import Protocol
from xtalpriors.model.scoring.summary import score_text, summarise

FIVE, TEN = Reflections(P21C, 5), Reflections(P21C, 10)
SHORT = Protocol(cycles=2, random_starts=1)


def test_the_papers_tables() -> None:
    """Melgalvis & Reķis 2026, doi 10.1107/S2053273325009428, Tables 1 and 2, and what section 4 says."""
    first, second = PAPER_TABLES["p21c-10"], PAPER_TABLES["p21c-20"]
    assert (first.n, len(first.values), second.n, len(second.values)) == (3086, 9, 5000, 6)
    assert max(second.values, key=lambda k: second.values[k]) == ("molecules", "volume-lognormal")
    assert second.values["molecules", "volume-lognormal"] == (0.86, 0.91)
    assert min(second.values, key=lambda k: second.values[k]) == ("random", "axes-uniform")
    assert all(first.values[k][0] < 0.82 for k in first.values if k[0] == "equal-atoms")


def test_strategies_in_the_papers_layout() -> None:
    """Three seeds of one strategy: the middle one stands; the paper's numbers stand beside it."""
    made = structures(cif_text())
    true = calculate(FIVE, made.crystals).positive[0]
    summaries = []
    for wrong in (0, 1, 3):
        flipped = true ^ (np.abs(FIVE.hkl).sum(axis=1) < wrong)
        outcome = evaluate(
            Oracle(FIVE, flipped),
            FIVE,
            made,
            SHORT,
            description={"cell": "volume-lognormal", "filling": "random"},
        )
        summaries.append(summarise(outcome))
    table = strategy_table(summaries, "p21c-20")
    assert [[cell.cell for cell in row] for row in table] == [
        ["volume-lognormal", "volume-uniform", "axes-uniform"]
    ] * 2
    cell = table[1][0]
    assert (cell.filling, cell.paper) == ("random", (0.79, 0.90))
    assert cell.score is not None
    medians = sorted(s.scores["best"].median or 0 for s in summaries)
    assert cell.score.median == medians[1]
    assert table[0][0].score is None
    assert score_text(None) == "–"
    assert score_text(summaries[0].scores["best"]).startswith("100.0 % (20.7–100.0), median 1.000")


def test_slab_shows_the_true_atoms() -> None:
    """Perfect phases referred to any origin: the density at the crosses is far above the rest of the slab."""
    made = structures(cif_text(), cif_text("P 1 21/n 1"))
    true = calculate(TEN, made.crystals).positive
    for signs in TEN.origin_signs[[0, 3, 6]]:
        outcome = evaluate(Oracle(TEN, true[0] ^ (signs < 0)), TEN, made.subset([0]), SHORT)
        row = projections(outcome, made.subset([0]), TEN, count=1).to_pylist()[0]
        n = round(2 * HALF_WIDTH_ANGSTROM / STEP_ANGSTROM) + 1
        density = np.array(row["density"]).reshape(n, n)
        at = np.array([row["atom_x_angstrom"], row["atom_y_angstrom"]]).T
        places = np.rint((at + HALF_WIDTH_ANGSTROM) / STEP_ANGSTROM).astype(int)
        assert len(places) >= 3
        values = density[places[:, 1], places[:, 0]]
        assert values.min() > np.quantile(density, 0.8) > 0
        assert density.max() < 1.3 * values.max(), "the highest density is at an atom"
        read = np.array(row["true_density"]).reshape(n, n)
        np.testing.assert_allclose(read, density, atol=0.02 * density.max())  # one grid, read at two places


@pytest.fixture(scope="module")
def subset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate_subsets")
    tree = folder / "tree"
    tree.mkdir()
    (tree / "1.cif").write_text(cif_text(name="one"))
    mine([parse_source(f"cod:{tree}")], None, folder / "d.duckdb", workers=1)
    write_subset(folder / "d.duckdb", SubsetDefinition(name="all"), folder / "all.parquet")
    return folder / "all.parquet"


def test_from_files_to_files(subset: Path, tmp_path: Path) -> None:
    save_model(tmp_path / "run", untrained(FIVE), card_of(FIVE))
    output = tmp_path / "scores" / "made.parquet"
    found = evaluate_subsets(tmp_path / "run", [subset], output, SHORT)
    assert read_evaluation(output).rows.num_rows == 1
    assert pq.read_table(maps_path(output)).num_rows == 1
    text = json.loads(summary_path(output).read_text())
    assert text["n"] == 1 and text["network"]["subsets"] == ["all"]
    assert set(text["scores"]) >= {"best", "chosen", "phases all zero", "random phases"}
    assert "phases all zero" in str(found)
    first = {p.name: p.read_bytes() for p in output.parent.iterdir()}
    evaluate_subsets(tmp_path / "run", [subset], output, SHORT)
    assert {p.name: p.read_bytes() for p in output.parent.iterdir()} == first
    tiny = Selection(volume_range_angstrom3=(1, 2))
    with pytest.raises(XtalpriorsError, match=r"None of 1 structure has a volume from 1 to 2 Å³"):
        evaluate_subsets(tmp_path / "run", [subset], tmp_path / "no.parquet", SHORT, selection=tiny)
    assert not (tmp_path / "no.parquet").exists()
