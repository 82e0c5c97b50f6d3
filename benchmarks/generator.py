"""Generated structures of P2₁/c, 4–10 Å: µs a structure, kernels against the NumPy reference, in one run.

All sides take turns in every round; CPU time of one process, median of the rounds. With structure factors:
amplitudes and phases to d_min 1.0 Å of every structure, the reference's by plain NumPy, one at a time.
Packed molecules (`phai-2024`) have no reference: their rate, and how many placements were not taken.
Two cores: two processes that generate, against two processes of a busy loop, in the same minute, wall time.

    python benchmarks/generator.py [--structures 20000] [--rounds 7] [--no-scattering] [--bundle FILE]

With a bundle that has the priors `cell`, `contents` and `bonds`, the strategy `fitted` is timed too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from xtalpriors.crystal import StructureFactorCalculator, asymmetric_box, form_factor_table
from xtalpriors.generator import (
    Generator,
    GeneratorConfig,
    Reference,
    StructureBatch,
    configure,
    crystal_arrays,
)
from xtalpriors.params import DEFAULT_STRATEGIES
from xtalpriors.priors import PriorBundle, load_bundle, published_bundle

FILLINGS = ("random", "molecules")
SLOW_SIDE = 100  # structures for the NumPy side of a round
D_MIN_ANGSTROM = 1.0
BATCH = 512


def cpu_seconds(task: Callable[[], object]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    task()
    return time.process_time() - start


def factors_of(generator: Generator, size: int) -> tuple[Callable[[StructureBatch], object], np.ndarray]:
    """Amplitudes and phases of a batch by the package's own kernel; and the Miller indices (m, 3)."""
    group = generator.specification.group
    box = asymmetric_box(group, 10)
    wanted = np.any(box.miller_indices != 0, axis=1).reshape(box.shape)
    calculator = StructureFactorCalculator(group, box, wanted)
    out = np.empty((size, *box.shape), np.float32), np.empty((size, *box.shape), np.float32)

    def run(batch: StructureBatch) -> object:
        return calculator.amplitudes_and_phases(
            crystal_arrays(batch), D_MIN_ANGSTROM, out=(out[0][: len(batch)], out[1][: len(batch)])
        )

    return run, box.miller_indices[wanted.ravel()]


def plain_factors(structure: Any, hkl: np.ndarray) -> np.ndarray:
    """The same by the formula, for one structure: Σ f·T·w·exp(2πi h·x) over all images."""
    coefficients = form_factor_table()[structure.element]
    reciprocal = np.linalg.inv(structure.cell.metric_tensor)
    s2 = np.einsum("ni,ij,nj->n", hkl, reciprocal, hkl)
    inside = s2 <= D_MIN_ANGSTROM**-2
    s2, index = s2[inside], hkl[inside]
    form = coefficients[:, 8, None] + sum(
        coefficients[:, g, None] * np.exp(-coefficients[:, 4 + g, None] * s2) for g in range(4)
    )
    weights = structure.multiplicity / structure.group.order
    form = form * np.exp(-2 * np.pi**2 * structure.u_iso[:, None] * s2) * weights[:, None]
    images = np.einsum("nij,aj->nai", structure.group.rotations, structure.fract)
    images += structure.group.translations[:, None]
    return np.asarray((form * np.cos(2 * np.pi * (images @ index.T)).sum(axis=0)).sum(axis=0))


def one_core(
    bundle: PriorBundle, config: GeneratorConfig, n: int, rounds: int, scattering: bool
) -> dict[str, float]:
    """Median CPU time of each side, µs a structure."""
    generator, reference = Generator(bundle, config, 1), Reference(bundle, config)
    rng = np.random.default_rng(1)
    sides: dict[str, tuple[int, Callable[[], object]]] = {
        "reference": (SLOW_SIDE, lambda: [reference.structure(rng) for _ in range(SLOW_SIDE)]),
        "kernels": (n, lambda: generator.batch(0, n)),
    }
    if scattering:
        factors, hkl = factors_of(generator, BATCH)
        sides["reference + F"] = (
            SLOW_SIDE,
            lambda: [plain_factors(reference.structure(rng), hkl) for _ in range(SLOW_SIDE)],
        )
        sides["kernels + F"] = (n, lambda: [factors(b) for b in generator.batches(0, n, size=BATCH)])
    for _, task in sides.values():
        task()  # compiled and warm
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, (count, task) in sides.items():
            times[name].append(1e6 * cpu_seconds(task) / count)
    return {name: statistics.median(values) for name, values in times.items()}


def packed(n: int, rounds: int) -> None:
    """Rate of packed molecules, and what it took."""
    generator = Generator(published_bundle(), DEFAULT_STRATEGIES["phai-2024"], 1)
    batch = generator.batch(0, n)
    seconds = statistics.median(cpu_seconds(lambda: generator.batch(0, n)) for _ in range(rounds))
    redraws = batch.counter("redraws")
    print(f"packed (phai-2024): {len(batch):,} structures, {1e6 * seconds / n:.0f} µs/structure")
    print(
        f"  placements not taken: {redraws.mean():.1f} a structure, {np.quantile(redraws, 0.95):.0f} at the "
        f"95th percentile; mean volume {batch.volume.mean():.0f} Å³; atoms dropped: none, by construction"
    )


def _busy(n: int) -> int:
    total = 0
    for k in range(n):
        total += k * k
    return total


def _generate(filling: str, n: int) -> int:
    batch = Generator(published_bundle(), configure(filling=filling), 1).batch(0, n)
    return len(batch)


def gain_on_two_cores(filling: str, n: int, rounds: int) -> tuple[float, float]:
    """Wall-time gain of two processes over one, generating and a busy loop; medians of alternating rounds."""
    gains: dict[str, list[float]] = {"generate": [], "busy": []}
    jobs: dict[str, tuple[Callable[..., int], tuple[Any, ...]]] = {
        "generate": (_generate, (filling, n)),
        "busy": (_busy, (n * 40,)),
    }
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for task, arguments in jobs.values():
            pool.starmap(task, [arguments] * 4)
        for _ in range(rounds):
            for name, (task, arguments) in jobs.items():
                start = time.perf_counter()
                pool.apply(task, arguments)
                one = time.perf_counter() - start
                start = time.perf_counter()
                pool.starmap(task, [arguments] * 2, chunksize=1)
                two = time.perf_counter() - start
                gains[name].append(2 * one / two)
    return statistics.median(gains["generate"]), statistics.median(gains["busy"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--structures", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-scattering", action="store_true")
    parser.add_argument(
        "--bundle", type=Path, help="bundle of the strategy `fitted`, which is left out without one"
    )
    options = parser.parse_args()
    runs = [(published_bundle(), configure(filling=filling)) for filling in FILLINGS]
    if options.bundle:
        fitted = configure(cell="fitted", filling="fitted", special_pattern="joint")
        runs.append((load_bundle(options.bundle), fitted))
    for bundle, config in runs:
        volume = float(Generator(bundle, config, 1).batch(0, 5_000).volume.mean())
        medians = one_core(bundle, config, options.structures, options.rounds, not options.no_scattering)
        print(f"{config.filling}: mean volume {volume:.0f} Å³")
        for name, value in medians.items():
            print(f"  {name:14s} {value:10.2f} µs/structure {value / volume:10.5f} µs/Å³")
        for suffix in ("", " + F"):
            if "kernels" + suffix in medians:
                ratio = medians["reference" + suffix] / medians["kernels" + suffix]
                print(f"  ratio{suffix}: {ratio:.0f}")
        if config.filling == "fitted":
            continue
        ours, busy = gain_on_two_cores(config.filling, 10 * options.structures, options.rounds)
        print(f"  two cores: ×{ours:.2f}, a busy loop ×{busy:.2f}: {100 * ours / busy:.0f} %")
    packed(options.structures // 20, options.rounds)


if __name__ == "__main__":
    main()
