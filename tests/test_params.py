"""`params.yaml` away from the pipeline: what is left out has the values that ship with the package."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from xtalpriors.cli import run
from xtalpriors.errors import UsageError
from xtalpriors.mining.subsets.definition import DEFAULT_SUBSETS
from xtalpriors.params import Params, load_params

ROOT = Path(__file__).resolve().parents[1]


def _load(folder: Path, text: str) -> Params:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return load_params(path)


def test_what_is_left_out_is_as_in_the_pipeline(tmp_path: Path) -> None:
    """The shipped `params.yaml` writes the defaults out, but for the corpus and the pipeline's own bundle."""
    shipped = load_params(ROOT / "params.yaml")
    corpora = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["corpora"]
    alone = _load(tmp_path, yaml.safe_dump({"corpora": corpora}))
    assert alone.subsets == shipped.subsets == DEFAULT_SUBSETS
    assert alone.strategies == shipped.strategies and alone.fit == shipped.fit and alone.mine == shipped.mine
    assert alone.evaluated_subsets == shipped.evaluated_subsets == ("p21c-10", "p21c-20", "p21c-supergroups")
    assert alone.generated_subset == shipped.generated_subset == "p21c-10"
    assert (alone.generate.count, alone.generate.seed) == (shipped.generate.count, shipped.generate.seed)


def test_only_subsets(tmp_path: Path) -> None:
    own = _load(tmp_path, "subsets:\n  mine: {space_group_numbers: [2]}\n  p21c-20: {}\n")
    assert list(own.subsets) == ["mine", "p21c-20"] and own.corpora == {}
    assert own.generated_subset == "mine" and own.evaluated_subsets == ("p21c-20",)
    assert _load(tmp_path, "subsets:\n  mine: {}\n  other: {}\n").evaluated_subsets == ("mine", "other")
    assert _load(tmp_path, "").subsets == DEFAULT_SUBSETS
    with pytest.raises(UsageError, match="`subset` is no parameter; did you mean `subsets`"):
        _load(tmp_path, "subset:\n  mine: {}\n")


def test_a_stage_without_a_corpus_says_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("subsets:\n  mine: {}\n")
    for stage in ("mine", "subset", "fit", "generate", "report"):
        assert run([stage]) == 2
        message = " ".join(capsys.readouterr().err.split())
        assert "params.yaml names no corpus. Give one, as in `corpora: {mine: {sources:" in message


def test_the_file_is_as_dvc_writes_it(tmp_path: Path) -> None:
    """`dvc exp run -S` writes params.yaml anew: every comment must stay, and no other line may change."""
    apply_overrides = pytest.importorskip("dvc.utils.hydra").apply_overrides
    before = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(before, encoding="utf-8")
    apply_overrides(str(path), ["fit.seed=2"])
    changed = [
        (a, b)
        for a, b in zip(before.splitlines(), path.read_text(encoding="utf-8").splitlines(), strict=True)
        if a != b
    ]
    assert changed == [("  seed: 1", "  seed: 2")]
