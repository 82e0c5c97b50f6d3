"""Densities from powder patterns: the network of Fourier coefficients beside looking the answer up.

Splits S (structure types shared) and P (held out) are of artificial crystals, R of mined databases. Every
method has one try and no truth: the cell is that of the indexing. SSIM is the best over the 24 orientations,
turned about the origin (`--orientations 1`: as given). Run from the checkout:

    python benchmarks/phasing/powder.py --splits S R
    python benchmarks/phasing/powder.py --splits P --tests 202
    python benchmarks/phasing/powder.py --splits S R --system trigonal --tests 100 100 --orientations 1
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.dataset import PowderCrystals, powder_crystals, split
from xtalpriors.model.powder.density_maps import iam_density
from xtalpriors.model.powder.fourier.network import FourierNet
from xtalpriors.model.powder.fourier.predict import predict_densities
from xtalpriors.model.powder.fourier.training import FourierConfig, train_fourier
from xtalpriors.model.powder.real_crystals import real_crystals
from xtalpriors.model.powder.scoring.retrieval import METHODS, Retrieval
from xtalpriors.model.powder.scoring.score import best_score, psnr, ssim
from xtalpriors.model.powder.structures.candidates import Library
from xtalpriors.model.powder.structures.cells import possible_cells
from xtalpriors.model.powder.structures.solve import candidate_structures

OURS = ("candidates", "crystalnet-fourier")


def main() -> None:
    """Train, score and print the tables."""
    arguments = parsed()
    crystals = artificial(arguments)
    parts = split(crystals, "P" if "P" in arguments.splits else "S", arguments.seed)
    start = time.process_time()
    config = FourierConfig(examples=arguments.examples, epochs=arguments.epochs)
    network = train_fourier(parts.train, config, lambda text: print(text, flush=True))
    print(f"{len(parts.train)} training crystals, {time.process_time() - start:.0f} CPU seconds of training")
    library, retrieval = Library(parts.train), Retrieval(parts.train)
    for letter, tests in zip(arguments.splits, arguments.tests, strict=True):
        test = real_crystals(arguments.database, arguments.system) if letter == "R" else parts.test
        rows = np.random.default_rng(arguments.seed).permutation(len(test))[:tests]
        print(f"\nsplit {letter}", flush=True)
        evaluate(network, library, retrieval, test.take(np.sort(rows)), arguments.orientations)


def evaluate(
    network: FourierNet, library: Library, retrieval: Retrieval, test: PowderCrystals, orientations: int
) -> None:
    """Score every method on a test set and print what came out."""
    indexing(test)
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in (*METHODS, *OURS)}
    seconds = []
    for i in range(len(test)):
        pattern, composition, truth = test.patterns[i], test.composition(i), test.density(i)
        for method in METHODS:
            found = attempt(retrieval.density, method, pattern, composition)
            rows[method].append(scored(truth, found, orientations))
        start = time.process_time()
        for own, density in zip(OURS, ours(network, library, pattern, composition), strict=True):
            rows[own].append(scored(truth, density, orientations))
        seconds.append(time.process_time() - start)
        if (i + 1) % 50 == 0:
            table(rows, test)
    table(rows, test)
    known = np.isin(test.prototype, retrieval.train.prototype)
    for words, chosen in (("type in the training", known), ("type not in the training", ~known)):
        if chosen.any() and not chosen.all():
            print(f"\n{words}: {chosen.sum()}")
            part = {m: [r for r, c in zip(v, chosen, strict=True) if c] for m, v in rows.items()}
            table(part, test.take(np.flatnonzero(chosen)))
    print(f"\ncrystalnet-fourier: {np.mean(seconds):.2f} CPU s a crystal, largest {np.max(seconds):.1f}")
    for other in ("stoichiometry", "stoichiometry-phases", "candidates"):
        mean, low, high = bootstrap(rows["crystalnet-fourier"], rows[other])
        print(f"SSIM, crystalnet-fourier less {other}: {mean:+.4f} [{low:+.4f}, {high:+.4f}]")


def indexing(test: PowderCrystals) -> None:
    """Print how often the right cell is found, first and among the hypotheses."""
    found = np.full((len(test), 6, 2), np.nan)
    for i, pattern in enumerate(test.patterns):
        for k, cell in enumerate(attempt(possible_cells, pattern, test.system) or ()):
            found[i, k] = cell.a, cell.c
    error = np.abs(found / test.lattice[:, None, [0, 2]] - 1.0).max(axis=2)
    right = error < 2e-3
    print(
        f"{len(test)} patterns: right cell first {right[:, 0].mean():.3f}, among all "
        f"{right.any(axis=1).mean():.3f}, median error {np.median(error[right]):.1e}",
        flush=True,
    )


def parsed() -> argparse.Namespace:
    """Options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", choices=("S", "P", "R"), nargs="+", default=["S", "R"])
    parser.add_argument("--system", choices=("cubic", "trigonal"), default="cubic")
    parser.add_argument("--count", type=int, default=3000, help="artificial crystals")
    parser.add_argument("--tests", type=int, nargs="+", default=[500, 747], help="of each split at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--orientations", type=int, choices=(1, 24), default=24)
    parser.add_argument("--database", type=Path, nargs="+", default=[Path("data/amcsd/crystals.duckdb")])
    parser.add_argument("--crystals", type=Path, help="file that holds the artificial crystals, or will")
    return parser.parse_args()


def artificial(arguments: argparse.Namespace) -> PowderCrystals:
    """Artificial crystals, from the file where there is one."""
    if arguments.crystals and arguments.crystals.exists():
        return PowderCrystals.load(arguments.crystals)
    crystals = powder_crystals(arguments.system, arguments.count, arguments.seed)
    if arguments.crystals:
        crystals.save(arguments.crystals)
    return crystals


def attempt(make: Callable[..., Any], *inputs: Any) -> Any:
    """The answer, or None where the method says that it has none."""
    try:
        return make(*inputs)
    except XtalpriorsError:
        return None


def ours(
    network: FourierNet, library: Library, pattern: Any, composition: Composition
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The density of the candidate of least cost, and the network's."""
    try:
        found = candidate_structures(pattern, composition, library)
    except XtalpriorsError:
        return None, None
    if not found:
        return None, None
    first = iam_density(found[0].cell, *found[0].atoms())
    return first, predict_densities(network, found, pattern, composition)[0].density


def scored(truth: np.ndarray, density: np.ndarray | None, orientations: int) -> tuple[float, float]:
    """SSIM and PSNR; 0 and 0 dB where there is no density."""
    if density is None:
        return 0.0, 0.0
    if orientations == 24:
        score = best_score(truth, [density])
        return score.ssim, min(score.psnr, 100.0)
    return ssim(truth, density), min(psnr(truth, density), 100.0)


def table(rows: dict[str, list[tuple[float, float]]], test: PowderCrystals) -> None:
    """Print means over crystals, over structure types, and the share above 0.95."""
    count = len(next(iter(rows.values())))
    types = test.prototype[:count]
    print(f"\n{'n = ' + str(count):24} SSIM  by type   PSNR  > .95")
    for name, values in rows.items():
        both = np.array(values)
        by_type = np.mean([both[types == t, 0].mean() for t in np.unique(types)])
        share = (both[:, 0] > 0.95).mean()
        print(
            f"{name:24} {both[:, 0].mean():.3f}  {by_type:.3f}  {both[:, 1].mean():6.1f}  {share:.2f}",
            flush=True,
        )


def bootstrap(
    ours: list[tuple[float, float]], theirs: list[tuple[float, float]]
) -> tuple[float, float, float]:
    """Mean paired difference of SSIM and its 95 % interval of 2,000 resamples."""
    difference = np.array(ours)[:, 0] - np.array(theirs)[:, 0]
    rng = np.random.default_rng(0)
    means = difference[rng.integers(0, len(difference), (2000, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(difference.mean()), float(low), float(high)


if __name__ == "__main__":
    main()
