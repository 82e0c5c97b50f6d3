"""A corpus's test subsets: one structure of each crystal, the same ones each time, and none is no error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from phasing_crystals import P21C, card_of, cif_text, untrained

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.files import read_metadata
from xtalpriors.mining.subsets.write import write_subset
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.weights import load_card, save_model
from xtalpriors.model.scoring.evaluate_corpus import evaluate_corpus
from xtalpriors.model.scoring.evaluate_subsets import Selection, evaluate_subsets
from xtalpriors.model.scoring.evaluation_table import read_evaluation
from xtalpriors.model.scoring.read_structures import read_structures
from xtalpriors.model.scoring.runs import Protocol
from xtalpriors.model.scoring.structures import EmptyTestSet

FIVE = Reflections(P21C, 5)
SHORT = Protocol(cycles=1, random_starts=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three crystals, the first of them in two settings; subsets `all`, and `none` without an entry."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "tree").mkdir()
    texts = [
        cif_text(),
        cif_text("P 1 21/n 1"),
        cif_text().replace("Cl", "Br"),
        cif_text().replace("Fe", "Co"),
    ]
    for place, text in enumerate(texts):
        (folder / "tree" / f"{place}.cif").write_text(text)
    mine([parse_source(f"cod:{folder / 'tree'}")], None, folder / "d.duckdb", workers=1)
    for definition in (SubsetDefinition(name="all"), SubsetDefinition(name="none", space_group_numbers=(2,))):
        write_subset(folder / "d.duckdb", definition, folder / f"{definition.name}.parquet")
    save_model(folder / "run", untrained(FIVE), card_of(FIVE))
    return folder


def test_a_crystal_counts_once(folder: Path) -> None:
    every = read_structures([folder / "all.parquet"])
    one = read_structures([folder / "all.parquet"], one_per_cluster=True)
    assert len(every) == 4 and len(one) == 3
    assert set(one.entry_id) < set(every.entry_id)
    assert {name.split(":")[1][0] for name in one.entry_id} >= {"2", "3"}


def test_a_smaller_test_is_part_of_a_larger_one(folder: Path, tmp_path: Path) -> None:
    chosen = []
    for n in (1, 2, 3, 9):
        output = tmp_path / f"{n}.parquet"
        evaluate_subsets(
            folder / "run", [folder / "all.parquet"], output, SHORT, selection=Selection(structures=n)
        )
        chosen.append(set(read_evaluation(output).rows["entry_id"].to_pylist()))
    assert [len(c) for c in chosen] == [1, 2, 3, 4]
    assert chosen[0] < chosen[1] < chosen[2] < chosen[3]


def test_the_curve_beside_the_weights_is_kept(folder: Path, tmp_path: Path) -> None:
    run, output = tmp_path / "run", tmp_path / "x.parquet"
    save_model(run, untrained(FIVE), card_of(FIVE).model_copy(update={"structures": 128}))
    evaluate_subsets(run, [folder / "all.parquet"], output, SHORT)
    assert "there is no curve.csv" in str(read_evaluation(output).training.missing)
    (run / "curve.csv").write_text("step,structures,loss,learning_rate\n1,64,0.6,0.01\n2,128,0.5,0\n")
    evaluate_subsets(run / "model.safetensors", [folder / "all.parquet"], output, SHORT)
    training = read_evaluation(output).training
    assert training.missing is None and training.columns["loss"] == [0.6, 0.5]


def test_scores_metrics_and_card_of_a_corpus(folder: Path, tmp_path: Path) -> None:
    former = tmp_path / "scores" / "none.parquet"
    former.parent.mkdir()
    evaluate_subsets(folder / "run", [folder / "all.parquet"], former, SHORT)
    metrics = tmp_path / "reports" / "evaluation.json"
    found = evaluate_corpus(
        folder / "run",
        [folder / "all.parquet", folder / "none.parquet"],
        tmp_path / "scores",
        metrics,
        SHORT,
        selection=Selection(one_per_cluster=True),
    )
    assert set(found.done) == {"all"} and "none: not evaluated. There is no structure" in str(found)
    assert not former.exists(), "what is no longer tested has no scores"
    numbers = json.loads(metrics.read_text())
    assert numbers["none"] == {"n": 0} and numbers["all"]["n"] == 3
    assert 0 <= numbers["all"]["solved_chosen"] <= numbers["all"]["solved"] <= 1
    digest = read_metadata(folder / "all.parquet")["subset_digest"]
    card = json.loads((tmp_path / "scores" / "model-card.json").read_text())
    assert card["evaluations"]["all"]["subset_digests"] == [digest]
    assert card["weights_digest"] == load_card(folder / "run").weights_digest
    text = (tmp_path / "scores" / "model-card.md").read_text()
    assert digest in text and card["weights_digest"] in text and "| all |" in text


def test_an_empty_subset_asked_for_is_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EmptyTestSet, match=r"no structure to test in .*none\.parquet: no entries"):
        evaluate_subsets(folder / "run", [folder / "none.parquet"], tmp_path / "x.parquet", SHORT)
    with pytest.raises(XtalpriorsError, match=r"There is no model .*Train one with"):
        evaluate_corpus(tmp_path / "no", [folder / "all.parquet"], tmp_path / "s", tmp_path / "m.json", SHORT)
    assert not list(tmp_path.iterdir())
