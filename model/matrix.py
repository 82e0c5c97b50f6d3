"""Strategies of the generator, the same small training for each: scores as in Table 2, and a ranking."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.errors import UsageError
from xtalpriors.generator.config import CellStrategy, Filling, GeneratorConfig
from xtalpriors.model.network.inputs import InputScaling
from xtalpriors.model.network.weights import FILE_NAME, load_model
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.model.training.train import train
from xtalpriors.model.training.validation import ValidationSet, generated_set, score_set
from xtalpriors.outputs import FileKind, check_folder, check_outputs, json_with, text_with
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.progress import Progress, silent
from xtalpriors.write_tables import csv_text

__all__ = ["MATRIX_CELLS", "MATRIX_FILLINGS", "OTHER_STRATEGIES", "Cell", "MatrixResult", "run_matrix"]

Strategy = tuple[CellStrategy, Filling]

MATRIX_CELLS: tuple[CellStrategy, ...] = ("volume-lognormal", "volume-uniform", "axes-uniform")
"""Columns of Tables 1 and 2 of Melgalvis & Reķis 2026."""
MATRIX_FILLINGS: tuple[Filling, ...] = ("molecules", "random", "equal-atoms")
"""Rows."""
OTHER_STRATEGIES: tuple[Strategy, ...] = (("fitted", "fitted"), ("volume-uniform", "packed"))
"""Beside those of the tables: structures as measured, and the packed molecules of `phai-2024`."""
RESAMPLES = 4000
_FILES = {
    "matrix.json": FileKind(
        "the scores of a matrix", json_with("rows", "seeds", "training", "priors_digest")
    ),
    "matrix.csv": FileKind("the scores of a matrix", text_with("test_set,n,rank,cell,filling,")),
    "matrix.md": FileKind("the table of a matrix", text_with("mean ± standard error over the seeds")),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One strategy: its score on a test set, one value for each seed.

    Attributes
    ----------
    cell, filling
        The strategy.
    solved, median_r
        Share with r ≥ 0.8 and median r, for each seed.
    first
        Probability that the strategy is the best one, over resampled seeds.
    """

    cell: CellStrategy
    filling: Filling
    solved: tuple[float, ...]
    median_r: tuple[float, ...]
    first: float


@dataclass(frozen=True, slots=True)
class MatrixResult:
    """Scores of every strategy on every test set.

    Attributes
    ----------
    tables
        {test set: strategies, the best first by mean share solved}.
    n
        {test set: number of structures}.
    folder
        Where `matrix.json`, `matrix.csv` and `matrix.md` are.
    """

    tables: dict[str, tuple[Cell, ...]]
    n: dict[str, int]
    folder: Path

    def __str__(self) -> str:
        return _markdown(self)


def run_matrix(
    config: TrainConfig,
    bundle: PriorBundle,
    output: Path,
    *,
    strategies: Sequence[Strategy] | None = None,
    seeds: Sequence[int] = (1, 2, 3),
    tests: Sequence[ValidationSet] = (),
    device: str | None = None,
    progress: Progress = silent,
) -> MatrixResult:
    """Train and score every strategy with every seed; a run that is finished in `output` is not done again.

    Every network is scored on the same test sets: the fixed generated set of `config`, one of larger cells
    than any was trained on, and `tests`. The generated ones are of the strategy of `config`, which is thereby
    tested on its own kind; only `tests` are fair to all.

    Parameters
    ----------
    config
        Training of each; only the strategy and the seeds are changed.
    strategies
        Cell strategy and filling of each; by default the nine of the paper, and those of `OTHER_STRATEGIES`
        whose priors the bundle has.
    seeds
        Of the weights and of the training structures; the uncertainty is over them.
    tests
        More test sets, experimental structures for instance (`experimental_sets.experimental_set`).

    Raises
    ------
    UsageError
        No seed, nothing to compare, or a file of somebody else would be replaced.
    """
    if strategies is None:
        strategies = _strategies_for(bundle)
    if not seeds or len(set(seeds)) != len(seeds) or len(strategies) < 2:
        raise UsageError("the matrix needs at least two strategies, and each seed once.")
    check_folder(output)
    check_outputs((output / name, kind) for name, kind in _FILES.items())
    reflections = config.reflections()
    sets = [*_generated_sets(config, bundle), *tests]
    scaling = InputScaling(reflections, config.scaling)
    scores: dict[tuple[str, CellStrategy, Filling], list[tuple[float, float]]] = {}
    with progress("matrix", len(strategies) * len(seeds), "network") as advance:
        for seed, (cell, filling) in itertools.product(seeds, strategies):
            folder = output / f"{cell}_{filling}_{seed}"
            one = _strategy(config, cell, filling, seed)
            train(one, bundle, folder, device=device, resume=True)
            model, _ = load_model(folder / FILE_NAME)
            for data in sets:
                score = score_set(model, reflections, scaling, data, cycles=config.validation.cycles)
                scores.setdefault((data.name, cell, filling), []).append((score.solved, score.median_r))
            advance()
    result = MatrixResult(
        {data.name: _ranked(data.name, strategies, scores) for data in sets},
        {data.name: len(data) for data in sets},
        output,
    )
    _write(result, config, bundle, seeds)
    return result


def _strategies_for(bundle: PriorBundle) -> list[Strategy]:
    """The nine strategies of the paper, and the others that a bundle can serve."""
    later = bundle.priors.cell and bundle.priors.contents and bundle.priors.bonds
    others = [s for s in OTHER_STRATEGIES if later or "fitted" not in s]
    return [*itertools.product(MATRIX_CELLS, MATRIX_FILLINGS), *others]


def _strategy(config: TrainConfig, cell: CellStrategy, filling: Filling, seed: int) -> TrainConfig:
    """The configuration of one network."""
    options: dict[str, Any] = {"cell": cell, "filling": filling}
    if filling == "fitted":
        options["special_pattern"] = "joint"
    generator = _frame(config).model_copy(update=options)
    data = config.data.model_copy(update={"generator": generator, "seed": seed})
    validation = config.validation.model_copy(update={"generator": _frame(config)})
    return config.model_copy(
        update={
            "name": f"{cell}, {filling}, seed {seed}",
            "data": data,
            "validation": validation,
            "seed": seed,
        }
    )


def _frame(config: TrainConfig) -> GeneratorConfig:
    """Length bounds that hold every strategy to the volumes of the configuration.

    The bundle's log-normal volumes and lengths reach far beyond what a small `max_index` resolves; lengths up
    to the cube root of V_max, and half as much again, cut all three strategies to cells of that size.
    """
    generator = config.data.generator
    if generator.length_max_angstrom is not None or generator.volume_max_angstrom3 is None:
        return generator
    longest = max(4.5, 1.1 * generator.volume_max_angstrom3 ** (1.0 / 3.0))
    return generator.model_copy(update={"length_max_angstrom": round(longest, 2)})


def _generated_sets(config: TrainConfig, bundle: PriorBundle) -> list[ValidationSet]:
    """Structures as in training, and of volumes one to two times the largest that is trained on."""
    reflections = config.reflections()
    sets = [generated_set(config, bundle, reflections)]
    volume = config.data.generator.volume_max_angstrom3
    if volume is not None:
        larger = config.data.generator.model_copy(
            update={"volume_min_angstrom3": volume, "volume_max_angstrom3": 2.0 * volume}
        )
        validation = config.validation.model_copy(update={"generator": larger})
        data = generated_set(config.model_copy(update={"validation": validation}), bundle, reflections)
        sets.append(ValidationSet("larger cells", data.amplitudes, data.positive, data.cells))
    return sets


def _ranked(
    name: str,
    strategies: Sequence[Strategy],
    scores: dict[tuple[str, CellStrategy, Filling], list[tuple[float, float]]],
) -> tuple[Cell, ...]:
    """Strategies, the best first, with the probability that each is the best.

    Seeds are resampled within each strategy (bootstrap), and ties shared.
    """
    solved = np.array([[s for s, _ in scores[name, *strategy]] for strategy in strategies])
    rng = np.random.default_rng(1)
    picks = rng.integers(0, solved.shape[1], (RESAMPLES, *solved.shape))
    means = np.take_along_axis(np.broadcast_to(solved, picks.shape), picks, axis=2).mean(axis=2)
    best = means == means.max(axis=1, keepdims=True)
    first = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    table = [
        Cell(cell, filling, tuple(solved[i].tolist()), tuple(m for _, m in scores[name, cell, filling]), p)
        for i, ((cell, filling), p) in enumerate(zip(strategies, first.tolist(), strict=True))
    ]
    return tuple(sorted(table, key=lambda c: -statistics.fmean(c.solved)))


def _spread(values: Sequence[float]) -> float | None:
    """Standard error of the mean over the seeds; None for one seed."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


def _write(result: MatrixResult, config: TrainConfig, bundle: PriorBundle, seeds: Sequence[int]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "test_set": name,
            "n": result.n[name],
            "rank": rank,
            "cell": cell.cell,
            "filling": cell.filling,
            "solved": statistics.fmean(cell.solved),
            "solved_standard_error": _spread(cell.solved),
            "median_r": statistics.fmean(cell.median_r),
            "median_r_standard_error": _spread(cell.median_r),
            "probability_best": cell.first,
        }
        for name, table in result.tables.items()
        for rank, cell in enumerate(table, 1)
    ]
    content = {
        "rows": rows,
        "seeds": list(seeds),
        "training": config.model_dump(mode="json"),
        "bundle": bundle.name,
        "priors_digest": bundle.priors_digest,
    }
    texts = [
        canonical_json(content, indent=1) + "\n",
        csv_text(rows, list(rows[0]), significant_digits=6),
        _markdown(result) + "\n",
    ]
    for (name, kind), text in zip(_FILES.items(), texts, strict=True):
        write_text(result.folder / name, text, kind)


def _markdown(result: MatrixResult) -> str:
    """For each test set a table in the layout of Table 2, the other strategies, and the ranking."""
    lines = []
    for name, table in result.tables.items():
        found = {(c.cell, c.filling): c for c in table}
        columns = [x for x in MATRIX_CELLS if any((x, y) in found for y in MATRIX_FILLINGS)]
        rows = [y for y in MATRIX_FILLINGS if any((x, y) in found for x in MATRIX_CELLS)]
        others = [c for c in table if c.cell not in MATRIX_CELLS or c.filling not in MATRIX_FILLINGS]
        lines += [
            f"## {name} (N = {result.n[name]:,})",
            "",
            "Share with r ≥ 0.8 and median r, mean ± standard error over the seeds.",
        ]
        if rows:
            lines += ["", f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
            lines += [f"| {y} | {' | '.join(_entry(found.get((x, y))) for x in columns)} |" for y in rows]
        if others:
            lines += ["", "| cell | filling | |", "|---|---|---|"]
            lines += [f"| {c.cell} | {c.filling} | {_entry(c)} |" for c in others]
        lines += ["", "Ranking, with the probability of being the best over resampled seeds:", ""]
        lines += [
            f"{rank}. {c.cell}, {c.filling}: {100 * statistics.fmean(c.solved):.1f} %, "
            f"best with probability {c.first:.2f}"
            for rank, c in enumerate(table, 1)
        ]
        lines.append("")
    return "\n".join(lines).rstrip()


def _entry(cell: Cell | None) -> str:
    if cell is None:
        return ""
    solved, spread = 100 * statistics.fmean(cell.solved), _spread(cell.solved)
    share = f"{solved:.1f} %" if spread is None else f"{solved:.1f} ± {100 * spread:.1f} %"
    return f"{share}, {statistics.fmean(cell.median_r):.3f}"
