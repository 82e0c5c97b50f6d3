"""dvc.yaml says what each stage depends on: every module that a stage imports must be among its deps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from xtalpriors.model.training.loop import RECORD_FILE
from xtalpriors.params import load_params
from xtalpriors.paths import POWDER_RUNS, CorpusPaths, run_folder

ROOT = Path(__file__).resolve().parents[2]

ENTRY = {
    "mine": ("xtalpriors.mining.run", "xtalpriors.mining.sources.manifest"),
    "subset": ("xtalpriors.mining.subsets.write",),
    "fit": ("xtalpriors.priors.fitting.fit",),
    "generate": ("xtalpriors.generator.output.shards",),
    "train": ("xtalpriors.model.training.train", "xtalpriors.model.training.presets"),
    "evaluate": ("xtalpriors.model.scoring.evaluate_corpus",),
    "powder-train": ("xtalpriors.model.powder.runs",),
    "powder-evaluate": ("xtalpriors.model.powder.evaluation",),
    "report": ("xtalpriors.reports.build",),
}
# The command line and its plumbing carry no meaning of their own: a change there re-runs nothing.
PLUMBING = {
    "xtalpriors",
    "xtalpriors.errors",
    "xtalpriors.progress",
    "xtalpriors.cli",
    "xtalpriors.params",
    "xtalpriors.paths",
    "xtalpriors.atomic_write",
    "xtalpriors.arrays",
    "xtalpriors.cluster",
    "xtalpriors.compilation",
    "xtalpriors.file_lock",
    "xtalpriors.counted",
    "xtalpriors.interrupts",
    "xtalpriors.lazy",
    "xtalpriors.outputs",
    "xtalpriors.parent_end",
    "xtalpriors.written_folder",
    "xtalpriors.frozen_model",
    "xtalpriors.preset_files",
    "xtalpriors.provenance",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("xtalpriors")


@pytest.fixture(scope="module")
def stages() -> dict[str, dict[str, Any]]:
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    return {name: s.get("do", s) for name, s in yaml.safe_load(text)["stages"].items()}


def _path(module: str) -> str:
    """File of a module, relative to the root, as the folders are mapped."""
    relative = module.removeprefix("xtalpriors.").replace(".", "/")
    if "/" not in relative and not (ROOT / relative).is_dir():
        return f"src/xtalpriors/{relative}.py"
    return f"{relative}/__init__.py" if (ROOT / relative).is_dir() else f"{relative}.py"


def test_every_stage_has_an_entry_module(stages: dict[str, dict[str, Any]]) -> None:
    assert set(stages) == set(ENTRY)


@pytest.mark.parametrize("stage", ENTRY)
def test_deps_cover_the_import_graph(
    stage: str, graph: grimp.ImportGraph, stages: dict[str, dict[str, Any]]
) -> None:
    listed = [d for d in stages[stage]["deps"] if not str(d).startswith("data/")]
    needed = set(ENTRY[stage]).union(*map(graph.find_upstream_modules, ENTRY[stage])) - PLUMBING
    files = {_path(m) for m in needed}
    assert len(files) > 3, "the import graph is empty: nothing would be checked"
    missing = {f for f in files if not any(f == d or f.startswith(f"{d}/") for d in listed)}
    missing = {f for f in missing if not f.endswith("__init__.py")}
    assert not missing, f"stage {stage} imports what dvc.yaml does not list: {sorted(missing)}"


@pytest.mark.parametrize("stage", ENTRY)
def test_listed_code_exists(stage: str, stages: dict[str, dict[str, Any]]) -> None:
    for dep in stages[stage]["deps"]:
        if "${" not in str(dep) and not str(dep).startswith("data/"):
            assert (ROOT / str(dep)).exists(), f"stage {stage} lists {dep}, which is not there"


@pytest.mark.parametrize("stage", ENTRY)
def test_nothing_is_listed_twice(stage: str, stages: dict[str, dict[str, Any]]) -> None:
    deps = list(map(str, stages[stage]["deps"]))
    inside = {d for d in deps for folder in deps if d.startswith(f"{folder}/")}
    assert len(deps) > 1 and len(set(deps)) == len(deps), f"stage {stage} lists a file twice"
    assert not inside, f"stage {stage} lists files of a folder that it lists: {sorted(inside)}"


def test_the_report_lists_its_templates(stages: dict[str, dict[str, Any]]) -> None:
    templates = [p for p in (ROOT / "reports" / "templates").glob("*.*") if p.suffix != ".py"]
    assert len(templates) > 2 and "reports/templates" in stages["report"]["deps"]


def test_paths_are_those_of_the_command_line(stages: dict[str, dict[str, Any]]) -> None:
    """dvc.yaml and paths.py spell the same paths, and params.yaml has what dvc.yaml refers to."""
    params = load_params(ROOT / "params.yaml")
    assert params.train.bundle is not None and (ROOT / params.train.bundle).is_file()
    assert set(params.evaluated_subsets) <= set(params.subsets)
    paths = CorpusPaths("made")
    expected = {
        "train": {run_folder(params.train.preset) / RECORD_FILE},
        "evaluate": {paths.evaluation / "digest.json"},
        "powder-train": {POWDER_RUNS / "digest.json"},
        "powder-evaluate": {paths.powder / "digest.json"},
        "report": {paths.report / name for name in ("index.html", "figures", "subsets")},
    }
    for stage, files in expected.items():
        names = {next(iter(out)) for out in stages[stage]["outs"]}
        names = {n.replace("${key}", "made").replace("${train.preset}", params.train.preset) for n in names}
        assert set(map(Path, names)) == files


def test_templates_stand_in_block_lists() -> None:
    """`${…}` inside a YAML flow list is a parse error of DVC's."""
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert "${" in text
    assert not re.search(r"\[[^\]\n]*\$\{", text)
