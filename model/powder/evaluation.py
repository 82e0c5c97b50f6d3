"""Networks for powder patterns beside trivial answers, on the same crystals: sets S, P and R of the docs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.counted import counted
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.frozen_model import explain
from xtalpriors.model.powder.data_config import crystals_digest
from xtalpriors.model.powder.dataset import PowderCrystals
from xtalpriors.model.powder.real_crystals import real_crystals
from xtalpriors.model.powder.runs import TrainedRun, load_run
from xtalpriors.model.powder.scoring.evaluate import CrystalScore, TestSet, score_set, sections_of
from xtalpriors.model.powder.scoring.files import FILES, METRICS, RECORD, SCORES, SECTIONS, write_rows
from xtalpriors.model.powder.scoring.methods import Method, looked_up
from xtalpriors.model.powder.scoring.retrieval import Retrieval
from xtalpriors.model.powder.scoring.score import ScoreOptions
from xtalpriors.model.powder.scoring.summary import paired_difference, summarise
from xtalpriors.outputs import check_folder, check_outputs
from xtalpriors.progress import Progress, silent

__all__ = ["PowderEvaluation", "evaluate_powder", "score_options"]

_SHOWN_QUANTILES = (0.9, 0.5, 0.1, 0.0)
"""Of the SSIM of the last network: crystals of which sections are kept, failures among them."""


@dataclass(frozen=True, slots=True)
class PowderEvaluation:
    """Numbers of an evaluation.

    Attributes
    ----------
    folder
        With the files of `scoring.files`.
    metrics
        As in `metrics.json`.
    """

    folder: Path
    metrics: dict[str, Any]

    def __str__(self) -> str:
        lines = []
        for name, content in self.metrics["sets"].items():
            lines.append(
                f"{name}: {counted(content['n'], 'crystal')}, SSIM of the first try (best of five), > .95"
            )
            for method, one in content["methods"].items():
                lines.append(
                    f"  {method}: {one['first']['ssim']:.3f} ({one['best']['ssim']:.3f}), "
                    f"{100 * one['first']['good']:.0f} %"
                )
        return "\n".join([*lines, f"written to {self.folder}"])


def evaluate_powder(
    models: Sequence[Path],
    output: Path,
    *,
    databases: Sequence[Path] = (),
    crystals: int | None = None,
    points: int = 50,
    options: ScoreOptions | None = None,
    device: str | None = None,
    progress: Progress = silent,
) -> PowderEvaluation:
    """Score networks and trivial answers on the crystals that the networks were not trained on.

    Parameters
    ----------
    models
        Folders of runs. Each is scored on the test of its own split (S or P), those of split S on R too.
    output
        Folder; it gets the files of `scoring.files`.
    databases
        Of mined corpora, whose ordered crystals are set R; empty: no such set.
    crystals
        At most so many of each set, the same ones each time; null: all.
    points
        Edge of the maps.

    Raises
    ------
    XtalpriorsError
        A network cannot be read, or was trained on crystals that this version makes otherwise.
    UsageError
        No network is given, or the output is in the way of somebody's files.
    """
    if not models:
        raise UsageError("No network is given: name the folder of a run of `xtalpriors powder train`.")
    check_folder(output)
    check_outputs([(output / name, kind) for name, kind in FILES.items()])
    runs = [load_run(path, device=device) for path in models]
    rows: list[dict[str, Any]] = []
    sections: list[dict[str, Any]] = []
    sets: dict[str, Any] = {}
    for own, test, lookups in _tests(runs, databases, crystals, points):
        networks = [run.method for run in own]
        scores = score_set(test, [*lookups, *networks], points=points, options=options, progress=progress)
        rows += [_row(test, score, networks) for score in scores]
        shown = [run.method for run in own if not run.is_ablation] or networks
        sections += sections_of(test, _shown(scores, shown[-1].name), shown, points=points)
        sets[test.name] = _numbers(test, scores, [m.name for m in networks])
    metrics = {"points": points, "sets": sets}
    write_rows(output, SCORES, rows)
    write_rows(output, SECTIONS, sections)
    for name, content in ((METRICS, metrics), (RECORD, _record(runs, sets, points))):
        write_text(output / name, canonical_json(content, indent=1) + "\n", FILES[name])
    return PowderEvaluation(output, metrics)


def _record(runs: Sequence[TrainedRun], sets: Mapping[str, Any], points: int) -> dict[str, Any]:
    """What the scores were made from, for `dvc.lock`."""
    return {
        "networks": [
            {"data": run.data.model_dump(mode="json"), "method": run.method.name, "of": run.crystals_digest}
            for run in runs
        ],
        "crystals": {name: content["n"] for name, content in sets.items()},
        "points": points,
    }


def score_options(values: dict[str, Any]) -> ScoreOptions:
    """How maps are compared, from options by name.

    Raises
    ------
    UsageError
        An unknown option, or a value that it cannot have.
    """
    try:
        return ScoreOptions.model_validate(values)
    except ValidationError as error:
        raise UsageError(explain(error, ScoreOptions)) from error


def _check_training(runs: Sequence[TrainedRun], train: PowderCrystals) -> None:
    digest = crystals_digest(train)
    for run in runs:
        if run.crystals_digest != digest:
            raise XtalpriorsError(
                f"{run.method.name} was trained on other crystals than this version makes (digest "
                f"{run.crystals_digest}, not {digest}); some of the test may be among them. Train it again."
            )


def _tests(
    runs: Sequence[TrainedRun], databases: Sequence[Path], count: int | None, points: int
) -> Iterator[tuple[list[TrainedRun], TestSet, list[Method]]]:
    """Test sets with the runs that are scored on each and the trivial answers of their training.

    The test of each split, and with databases set R beside split S.

    Raises
    ------
    XtalpriorsError
        A run was trained on other crystals.
    """
    for data in dict.fromkeys(run.data for run in runs):
        own = [run for run in runs if run.data == data]
        train, _, test = data.crystals()
        _check_training(own, train)
        lookups = looked_up(Retrieval(train))
        library = frozenset(train.prototype.tolist())
        # the first is the mean map
        mean = lookups[0].tries(train.patterns[0], train.composition(0), points)[0].density
        suffix = "" if data.system == "cubic" else f" {data.system}"
        yield own, TestSet(data.split + suffix, _some(test, count), library, mean), lookups
        if databases and data.split == "S":
            real = real_crystals(databases, data.system, count)
            yield own, TestSet("R" + suffix, real, library, mean), lookups


def _some(crystals: PowderCrystals, count: int | None) -> PowderCrystals:
    """At most `count` crystals, drawn at random but the same each time, in their order."""
    if count is None or count >= len(crystals):
        return crystals
    return crystals.take(np.sort(np.random.default_rng(0).permutation(len(crystals))[:count]))


def _row(test: TestSet, score: CrystalScore, networks: Sequence[Method]) -> dict[str, Any]:
    crystals, i = test.crystals, score.index
    return {
        "set": test.name,
        "index": i,
        "formula": str(crystals.formula[i]),
        "space_group": int(crystals.space_group[i]),
        "prototype": str(crystals.prototype[i]),
        "name": str(crystals.name[i]),
        "in_library": str(crystals.prototype[i]) in test.library,
        "method": score.method,
        "is_network": score.method in {m.name for m in networks},
        "ssim": score.first.ssim,
        "psnr": score.first.psnr,
        "best_ssim": score.best.ssim,
        "best_psnr": score.best.psnr,
        "tries": score.tries,
        "failure": score.failure,
        "seconds": round(score.seconds, 3),
    }


def _shown(scores: Sequence[CrystalScore], method: str) -> list[int]:
    """Crystals at quantiles of a method's SSIM, from good to worst."""
    ordered = sorted((s for s in scores if s.method == method), key=lambda s: s.first.ssim)
    places = [round(q * (len(ordered) - 1)) for q in _SHOWN_QUANTILES]
    return [ordered[place].index for place in dict.fromkeys(places)]


def _numbers(test: TestSet, scores: Sequence[CrystalScore], networks: Sequence[str]) -> dict[str, Any]:
    """Summary of each method, and the difference of each network from the best of the others."""
    types = test.crystals.prototype
    by_method: dict[str, list[CrystalScore]] = {}
    for score in scores:
        by_method.setdefault(score.method, []).append(score)
    methods: dict[str, dict[str, Any]] = {
        name: {
            "first": summarise([s.first.ssim for s in own], [s.first.psnr for s in own], types)._asdict(),
            "best": summarise([s.best.ssim for s in own], [s.best.psnr for s in own], types)._asdict(),
            "failures": sum(s.failure is not None for s in own),
        }
        for name, own in by_method.items()
    }
    others = [name for name in methods if name not in networks]
    bar = max(others, key=lambda name: methods[name]["first"]["ssim"])
    against = {
        name: paired_difference(
            [s.first.ssim for s in by_method[name]], [s.first.ssim for s in by_method[bar]]
        )._asdict()
        for name in networks
    }
    known = np.isin(types, list(test.library))
    parts = {
        label: {
            name: float(np.mean([s.first.ssim for s in own if known[s.index] == inside]))
            for name, own in by_method.items()
        }
        for label, inside in (("in library", True), ("not in library", False))
        if (known == inside).any()
    }
    return {
        "n": len(test.crystals),
        "n_in_library": int(known.sum()),
        "methods": methods,
        "bar": bar,
        "against_bar": against,
        "parts": parts,
    }
