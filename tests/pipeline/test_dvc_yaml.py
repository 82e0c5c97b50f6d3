"""dvc.yaml says what each stage depends on: every module that a stage imports must be among its deps."""

from __future__ import annotations

import re
from pathlib import Path

import grimp
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

ENTRY = {
    "manifest": "xtalpriors.mining.manifest",
    "mine": "xtalpriors.mining.mine",
    "subset": "xtalpriors.mining.subsets",
    "fit": "xtalpriors.priors.fit",
    "generate": "xtalpriors.generator.shards",
    "report": "xtalpriors.reports.build",
}
# The command line and its plumbing carry no meaning of their own: a change there re-runs nothing.
PLUMBING = {
    "xtalpriors",
    "xtalpriors.errors",
    "xtalpriors.progress",
    "xtalpriors.cli",
    "xtalpriors.params",
    "xtalpriors.layout",
    "xtalpriors.atomic",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("xtalpriors")


@pytest.fixture(scope="module")
def stages() -> dict[str, dict[str, object]]:
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    return {name: s.get("do", s) for name, s in yaml.safe_load(text)["stages"].items()}


def _path(module: str) -> str:
    """File of a module, relative to the root, as the folders are mapped."""
    relative = module.removeprefix("xtalpriors.").replace(".", "/")
    return f"{relative}/__init__.py" if (ROOT / relative).is_dir() else f"{relative}.py"


def test_every_stage_has_an_entry_module(stages: dict[str, dict[str, object]]) -> None:
    assert set(stages) == set(ENTRY)


@pytest.mark.parametrize("stage", ENTRY)
def test_deps_cover_the_import_graph(
    stage: str, graph: grimp.ImportGraph, stages: dict[str, dict[str, object]]
) -> None:
    listed = [d for d in stages[stage]["deps"] if not str(d).startswith("data/")]  # type: ignore[union-attr]
    needed = ({ENTRY[stage]} | graph.find_upstream_modules(ENTRY[stage])) - PLUMBING
    files = {_path(m) for m in needed}
    assert len(files) > 3, "the import graph is empty: nothing would be checked"
    missing = {f for f in files if not any(f == d or f.startswith(f"{d}/") for d in listed)}
    missing = {f for f in missing if not f.endswith("__init__.py")}
    assert not missing, f"stage {stage} imports what dvc.yaml does not list: {sorted(missing)}"


@pytest.mark.parametrize("stage", ENTRY)
def test_listed_code_exists(stage: str, stages: dict[str, dict[str, object]]) -> None:
    for dep in stages[stage]["deps"]:  # type: ignore[union-attr]
        if "${" not in str(dep):
            assert (ROOT / str(dep)).exists(), f"stage {stage} lists {dep}, which is not there"


def test_templates_stand_in_block_lists() -> None:
    """`${…}` inside a YAML flow list is a parse error of DVC's."""
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert "${" in text
    assert not re.search(r"\[[^\]\n]*\$\{", text)
