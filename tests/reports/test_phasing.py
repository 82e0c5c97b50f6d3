"""The section on phasing: its figures' data are the evaluation's, its tables have the paper's numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from docs_tables import renewed
from report_inputs import STRUCTURES as N
from report_inputs import made_evaluation

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.schema import arrow_schema
from xtalpriors.mining.subsets.counts import count_subset
from xtalpriors.mining.subsets.definition import DEFAULT_SUBSETS
from xtalpriors.model.dual_space.weights import shipped_network
from xtalpriors.model.network.card import SetScore
from xtalpriors.model.network.curve import TrainingCurve
from xtalpriors.model.scoring.evaluation_table import COLUMNS, write_evaluation
from xtalpriors.model.scoring.projection import PROJECTIONS, write_projections
from xtalpriors.model.seeding.rows import ROWS_NAME, StudyRows
from xtalpriors.reports.build import build_report
from xtalpriors.reports.phasing import seeds
from xtalpriors.reports.phasing.data import labelled, read_phasing, scores_frame
from xtalpriors.reports.phasing.equal_time import EqualTimeTable
from xtalpriors.reports.phasing.phasing_page import phasing_sections
from xtalpriors.reports.phasing.score_tables import score_tables
from xtalpriors.reports.section import Section, Table

DOCS = Path(__file__).resolve().parents[2] / "docs" / "dual-space.md"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("phasing") / "mol.parquet"
    evaluation = made_evaluation()
    assert evaluation.rows.schema.names == arrow_schema(COLUMNS).names
    write_evaluation(evaluation, path)
    density = np.exp(-((np.arange(51) - 25) ** 2)[:, None] / 20 - (np.arange(51) - 10) ** 2 / 20)
    row = {
        "entry_id": "made:1#x1", "r": 0.9, "volume_angstrom3": 812.0, "step_angstrom": 0.2,
        "density": density.ravel().tolist(), "true_density": density.ravel().tolist(), "atom_element": ["Br"],
        "atom_x_angstrom": [-3.0], "atom_y_angstrom": [0.0],
    }  # fmt: skip
    write_projections(
        pa.Table.from_pylist([row], schema=PROJECTIONS), evaluation, path.with_name("mol.maps.parquet")
    )
    return path


def _sections(*paths: Path) -> dict[str, Section]:
    sets = labelled([read_phasing(path) for path in paths])
    return {section.key: section for section in phasing_sections(sets, "made")}


def test_figures(written: Path) -> None:
    figures = _sections(written)["figures"].figures
    assert [figure.number for figure in figures] == ["Fig. 5", "Fig. 6", "Fig. 7"]
    frame = figures[0].frame
    best = frame[frame["run"] == "best run"]
    assert len(best) == N and (best["r"] >= 0.8).sum() == 45
    assert "r ≥ 0.8: 75 % (63–84) of 60" in figures[0].svg, "what has no r is not solved"
    assert set(frame["run"]) == {"best run", "chosen without truth", "all phases zero"}
    pixels = figures[2].frame
    highest = pixels.loc[pixels["density"].idxmax()]
    assert (highest["x"], highest["y"]) == (pytest.approx(-3.0), pytest.approx(0.0)), "x runs along a row"


def test_the_page_leads_with_the_comparison_at_equal_time(written: Path) -> None:
    """Its numbers are of the network that is shipped, and each gain is the difference of its two shares."""
    assert next(iter(_sections(written))) == "equal-time"
    _, card = shipped_network()
    table = EqualTimeTable.read()
    assert card.weights_digest == table.weights_digest
    page = DOCS.read_text(encoding="utf-8")
    assert page == renewed("docs/dual-space.md", page), "run `python tools/docs_tables.py`"
    assert [row.place for row in table.rows] == sorted({row.place for row in table.rows}), "each line once"
    for row in table.rows:
        for shares in (row.solved, row.nearly_exact):
            for share, (gain, low, high) in (
                (shares.flipping, shares.flipping_gain),
                (shares.hybrid, shares.hybrid_gain),
            ):
                assert share - shares.baseline == pytest.approx(gain, abs=0.0011)
                assert low <= gain <= high
        assert row.nearly_exact.hybrid <= row.solved.hybrid


def test_tables(written: Path) -> None:
    """The paper's numbers are of doi 10.1107/S2053273325009428, Table 2; Wilson's interval of 45 of 60."""
    sections = _sections(written)
    html = "".join(str(table.html) for section in sections.values() for table in section.tables)
    for text in ("85 %; 0.91", "79 %; 0.90", "60 %; 0.86", "75.0 % (62.8 to 84.2)", "phases all zero"):
        assert text in html
    assert [table.title for table in sections["paper"].tables] == ["Table 2: training strategies on p21c-20"]
    scores = scores_frame(labelled([read_phasing(written)]))
    assert scores.query("structures == 'all' and score == 'best'")["n"].tolist() == [N]
    assert scores.query("structures == 'class organic' and score == 'best'")["n"].tolist() == [15]


def _solved_table(path: Path) -> Table:
    return score_tables(labelled([read_phasing(path)]))[0]


def test_an_interval_of_one_training_says_that_trainings_vary(written: Path, tmp_path: Path) -> None:
    """By hand: the s.d. of 47.07, 44.43 and 46.04 is 1.33, that of 0.40, 0.30 and 0.35 is 0.05."""
    lead = _solved_table(written).lead
    assert "the training, which is one and varies too. By how much was not measured for mol" in lead
    evaluation = made_evaluation()
    preset = seeds.TRAININGS["smoke"]
    fields = ("priors_digest", "generator_digest", "structures", "parameters")
    about = {"name": "smoke"} | {name: getattr(preset, name) for name in fields}
    evaluation.metadata["network"] |= about
    write_evaluation(evaluation, tmp_path / "x.parquet")
    table = _solved_table(tmp_path / "x.parquet")
    for text in ("3 trainings of smoke", "47.1 %, 44.4 %, 46.0 % of the same 2,048", "of 1.3 points"):
        assert text in table.lead
    assert "On structures of this corpus it was not measured" in table.lead and "±" not in str(table.html)
    trained = seeds.Trained("p21c-20", "best", "made", 60, (0.40, 0.30, 0.35), (0.8, 0.8, 0.8))
    assert 100 * trained.solved_deviation == pytest.approx(5.0)
    # χ² of two degrees of freedom has its 2.5 and 97.5 % points at 0.0506 and 7.378.
    assert trained.deviation_factors == pytest.approx(((2 / 7.378) ** 0.5, (2 / 0.0506) ** 0.5), rel=1e-3)


def test_the_deviation_stands_behind_the_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = made_evaluation()
    trained = (
        seeds.Trained("generated", "chosen", None, 9, (0.4, 0.4, 0.4), (0.8, 0.8, 0.8)),
        seeds.Trained("p21c-20", "best", "made", 60, (0.40, 0.30, 0.35), (0.8, 0.8, 0.8)),
    )
    monkeypatch.setattr(seeds, "TRAININGS", {"tiny": seeds.Preset("p", "g", 1, 2, trained)})
    about = {"name": "tiny", "priors_digest": "p", "generator_digest": "g", "structures": 1, "parameters": 2}
    evaluation.metadata["network"] |= about
    write_evaluation(evaluation, tmp_path / "x.parquet")
    table = _solved_table(tmp_path / "x.parquet")
    assert "75.0 % (62.8 to 84.2) ± 5.0" in str(table.html)
    assert "the same trainings on p21c-20 of made (60)" in table.lead


def test_volumes_of_training_stand_apart(written: Path, tmp_path: Path) -> None:
    evaluation = made_evaluation()
    evaluation.metadata["network"] |= {"volume_min_angstrom3": 300, "volume_max_angstrom3": 1000}
    write_evaluation(evaluation, tmp_path / "x.parquet")
    sections = _sections(tmp_path / "x.parquet")
    inside = sum(300 <= v <= 1000 for v in evaluation.rows["volume_angstrom3"].to_pylist())
    assert 0 < inside < N
    table = next(t for t in sections["scores"].tables if t.title == "By volume")
    texts = re.sub(r"<[^>]*>", " ", str(table.html))
    assert re.search(rf"300–1000 Å³, as in training\s+{inside}\s", texts)
    assert re.search(rf"other volumes\s+{N - inside}\s", texts)
    assert "The grey band is the volumes" in sections["figures"].figures[0].caption
    assert "grey band" not in _sections(written)["figures"].figures[0].caption


def _curve() -> TrainingCurve:
    """100 structures to validate; 20, then 50 of them solved."""
    columns: dict[str, list[float | None]] = {
        "structures": [64.0, 128.0, 192.0],
        "loss": [0.6, 0.5, 0.4],
        "learning_rate": [0.01, 0.005, 0.0],
        "generated_median_r": [None, 0.61, 0.8],
        "generated_solved": [None, 0.2, 0.5],
    }
    last = SetScore(
        n=100, median_r=0.8, mean_r=0.7, solved=0.5, solved_low=0.404, solved_high=0.596, cycles=3,
        zero_phases_solved=0.07, random_phases_median_r=0.28,
    )  # fmt: skip
    return TrainingCurve(columns=columns, sets={"generated": last})


def test_course_of_the_training(tmp_path: Path) -> None:
    """Wilson's interval of 50 of 100 is 40.4 to 59.6 %, of 20 of 100 it is 13.3 to 28.9 %."""
    evaluation = made_evaluation()
    evaluation.metadata["training"] = _curve().model_dump(mode="json")
    write_evaluation(evaluation, tmp_path / "x.parquet")
    section = _sections(tmp_path / "x.parquet")["training"]
    (figure,) = section.figures
    assert section.lead == "" and figure.name == "phasing-training"
    rows = figure.frame.set_index("quantity")
    assert rows.loc["loss", "value"].tolist() == [0.6, 0.5, 0.4]
    assert rows.loc["median_r", "structures"].tolist() == [128.0, 192.0]
    assert rows.loc["solved", "low"].tolist() == pytest.approx([0.133, 0.404], abs=5e-4)
    assert rows.loc["solved", "high"].tolist() == pytest.approx([0.289, 0.596], abs=5e-4)
    assert rows.loc["solved, all phases zero", "value"] == 0.07
    for text in ("at the end 50.0 % (40.4 to 59.6)", "all phases zero", "N = 100"):
        assert text in figure.svg


def test_networks_without_a_curve_are_named(written: Path, tmp_path: Path) -> None:
    with_curve, without = made_evaluation(), made_evaluation()
    with_curve.metadata["training"] = _curve().model_dump(mode="json")
    with_curve.metadata["network"] |= {"name": "one", "weights_digest": "aa"}
    without.metadata["training"] = TrainingCurve(missing="it was lost").model_dump(mode="json")
    without.metadata["network"] |= {"name": "two", "weights_digest": "bb"}
    write_evaluation(with_curve, tmp_path / "x.parquet")
    write_evaluation(without, tmp_path / "y.parquet")
    section = _sections(tmp_path / "x.parquet", tmp_path / "y.parquet")["training"]
    assert section.lead == "No curve of two: it was lost."
    assert set(section.figures[0].frame["network"]) == {"one"}
    section = _sections(written)["training"]
    assert "No curve of mol: the evaluation does not have it." in section.lead and not section.figures


def test_two_networks_of_one_name_stand_apart(tmp_path: Path) -> None:
    for name in ("aa", "bb"):
        evaluation = made_evaluation()
        evaluation.metadata["training"] = _curve().model_dump(mode="json")
        evaluation.metadata["network"] |= {"name": "one", "weights_digest": name}
        write_evaluation(evaluation, tmp_path / f"{name}.parquet")
    (figure,) = _sections(tmp_path / "aa.parquet", tmp_path / "bb.parquet")["training"].figures
    assert set(figure.frame["network"]) == {"one aa", "one bb"}
    assert "at the end" not in figure.svg and "one bb" in figure.svg


def test_same_bytes(written: Path) -> None:
    first, second = (_sections(written)["figures"].figures for _ in range(2))
    assert len(first) == 3 and [f.svg for f in first] == [f.svg for f in second]


def test_no_maps_is_no_error_but_broken_ones_are(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "mol.parquet"
    path.write_bytes(written.read_bytes())
    assert len(_sections(path)["figures"].figures) == 2
    (tmp_path / "mol.maps.parquet").write_bytes(b"cut short")
    with pytest.raises(XtalpriorsError, match="holds no density projections"):
        read_phasing(path)


def _tested(database: Path) -> dict[str, object]:
    """What an evaluation on all-50 of a database says of its structures."""
    definition = DEFAULT_SUBSETS["all-50"]
    return {count_subset(database, definition).digest: definition.model_dump(mode="json")}


def test_page_of_a_report(database: Path, tmp_path: Path) -> None:
    evaluation = made_evaluation()
    about = {"name": "smoke", "parameters": 4, "structures": 51200, "lineage": [["weights", "digest `77aa`"]]}
    evaluation.metadata["network"] |= about | {
        "definitions": _tested(database),
        "subset_digests": [*_tested(database)],
    }
    write_evaluation(evaluation, tmp_path / "x.parquet")
    StudyRows(tmp_path / "study" / ROWS_NAME, {}).add(_seeded())
    index = build_report(
        database,
        [],
        tmp_path / "report",
        evaluations=[tmp_path / "x.parquet"],
        seeding=tmp_path / "study",
    )
    assert '<a href="phasing/index.html">' in index.read_text()
    assert '<a href="seeding/index.html">2 crystals phased from' in index.read_text()
    seeding = (tmp_path / "report" / "seeding" / "index.html").read_text()
    assert '<a href="../index.html">' in seeding and ".50 [.09, .91]" in seeding
    assert (tmp_path / "report" / "seeding" / "figures" / "seeding.svg").is_file()
    page = (tmp_path / "report" / "phasing" / "index.html").read_text()
    for text in ("smoke is a small network", "51,200", "75.0 % (62.8 to 84.2)", "digest 77aa", "1 Å"):
        assert text in page
    for file in re.findall(r'href="(figures/[^"]+)"', page):
        assert (tmp_path / "report" / "phasing" / file).is_file()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) > 20 and len(ids) == len(set(ids))


def _seeded() -> list[dict[str, Any]]:
    """Two crystals of P1, of which one is solved without seeds and both with."""
    same = {
        "source": "artificial", "space_group": "P 1", "volume_class_angstrom3": 500.0,
        "volume_angstrom3": 500.0, "d_min_angstrom": 1.0, "overlap_degree": 0.0, "overlapped": 0.0,
    }  # fmt: skip
    none = dict.fromkeys(("fraction", "bins", "n_seeds", "seed_error_degree"))
    truth = {"seeds": "truth", "fraction": 0.1, "bins": 4, "n_seeds": 9, "seed_error_degree": 20.0}
    rows: list[dict[str, Any]] = []
    for crystal, r in (("0", 0.9), ("1", 0.3)):
        rows.append({**same, **none, "crystal": crystal, "seeds": "none", "r": r})
        rows.append({**same, **truth, "crystal": crystal, "r": 0.95})
    return rows


def test_page_without_structures_says_so(database: Path, tmp_path: Path) -> None:
    build_report(database, [], tmp_path / "report", evaluations=[])
    assert "has no structure that" in (tmp_path / "report" / "phasing" / "index.html").read_text()
    build_report(database, [], tmp_path / "report")
    assert not (tmp_path / "report" / "phasing" / "index.html").exists()  # of an earlier database, perhaps
    build_report(database, [], tmp_path / "other")
    assert not (tmp_path / "other" / "phasing").exists()


@pytest.mark.slow
def test_evaluations_that_do_not_belong(database: Path, written: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    with pytest.raises(XtalpriorsError, match="There is no evaluation"):
        build_report(database, [], report, evaluations=[tmp_path / "none.parquet"])
    evaluation = made_evaluation()
    evaluation.metadata["network"]["definitions"] = {"77aa": {"name": "all-50"}}
    write_evaluation(evaluation, tmp_path / "x.parquet")
    with pytest.raises(XtalpriorsError, match=r"x\.parquet is .* another database.*77aa.*Evaluate again"):
        build_report(database, [], report, evaluations=[tmp_path / "x.parquet"])
    with pytest.raises(XtalpriorsError, match="have the same name: mol, mol"):
        build_report(database, [], report, evaluations=[written, written])
    assert not report.exists()
