"""What `powder predict` makes of real crystals, as lines, as noisy profiles, and with the lines of Cu Kα₂.

Patterns are calculated for Cu Kα₁ to 120°. In profiles atoms move by U = 0.005 Å², peaks are Lorentzian and
counts have the noise of Poisson. The SSIM is that of the first try, in the best orientation and hand.

    xtalpriors powder train --preset fourier-smoke --set data.system=trigonal --output network
    python benchmarks/phasing/powder_profiles.py --model network --system trigonal --crystals 3

    python benchmarks/phasing/powder_profiles.py --model data/models/powder-full/fourier-S --crystals 80 \
        --formulas CoAs3 O3NaCl O7P2Zr S7Pd16 O6Al2Ca3
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.powder.dataset import PowderCrystals
from xtalpriors.model.powder.pattern import powder_lines
from xtalpriors.model.powder.predict import lengths, predict_pattern
from xtalpriors.model.powder.real_crystals import real_crystals
from xtalpriors.model.powder.scoring.score import ScoreOptions, best_score

CU = (1.5406, 1.5444)
U_ISO = 0.005
LAST_DEGREE = 120.0


def main() -> None:
    """Simulate, predict and print a line for each pattern."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--system", choices=("cubic", "trigonal"), default="cubic")
    parser.add_argument("--crystals", type=int, default=3, help="drawn from those of the database")
    parser.add_argument("--formulas", nargs="+", help="only the drawn ones of these formulas, as printed")
    parser.add_argument("--database", type=Path, nargs="+", default=[Path("data/amcsd/crystals.duckdb")])
    arguments = parser.parse_args()
    crystals = real_crystals(arguments.database, arguments.system, arguments.crystals)
    if arguments.formulas:
        crystals = crystals.take(np.flatnonzero(np.isin(crystals.formula, arguments.formulas)))
    for i in range(len(crystals)):
        print(
            f"{crystals.formula[i]}, {crystals.name[i]}, {crystals.prototype[i]}: {lengths(crystals.cell(i))}"
        )
        predicted(crystals, i, "lines", lines_of(crystals, i, CU[0]), arguments.model, None)
        predicted(crystals, i, "profile", profile(crystals, i, CU[:1]), arguments.model, None)
        doublets = profile(crystals, i, CU)
        predicted(crystals, i, "profile with Kα₂", doublets, arguments.model, None)
        predicted(crystals, i, "profile with Kα₂, said", doublets, arguments.model, CU[1])


def lines_of(crystals: PowderCrystals, i: int, wavelength: float) -> tuple[np.ndarray, np.ndarray]:
    """2θ and intensity of the lines."""
    group = SpaceGroup.from_number(int(crystals.space_group[i]))
    lines = powder_lines(crystals.cell(i), group, *crystals.atoms(i), wavelength)
    kept = lines.two_theta < LAST_DEGREE
    return lines.two_theta[kept], lines.intensity[kept]


def profile(
    crystals: PowderCrystals, i: int, wavelengths: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """2θ and counts; the second wavelength has half the intensity of the first."""
    grid = np.arange(10.0, LAST_DEGREE, 0.02)
    counts = 30.0 + 100.0 * np.exp(-grid / 30.0)
    highest = lines_of(crystals, i, wavelengths[0])[1].max()
    for share, wavelength in zip((1.0, 0.5), wavelengths, strict=False):
        for centre, area in zip(*lines_of(crystals, i, wavelength), strict=True):
            sine = np.sin(np.radians(centre / 2.0)) / wavelength
            height = 4000.0 * share * area / highest * np.exp(-16.0 * np.pi**2 * U_ISO * sine**2)
            half = 0.05 + 0.03 * np.tan(np.radians(centre / 2.0))
            counts += height * 0.05 / half / (1.0 + ((grid - centre) / half) ** 2)
    return grid, np.random.default_rng(0).poisson(counts).astype(np.float64)


def predicted(
    crystals: PowderCrystals,
    i: int,
    what: str,
    pattern: tuple[np.ndarray, np.ndarray],
    model: Path,
    second: float | None,
) -> None:
    """Answer one pattern and print R, cell, SSIM and time."""
    start = time.process_time()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pattern.xy"
        file.write_text("".join(f"{x:.4f} {y:.6g}\n" for x, y in zip(*pattern, strict=True)))
        try:
            found = predict_pattern(file, CU[0], str(crystals.formula[i]), model, second_angstrom=second)
        except XtalpriorsError as error:
            print(f"  {what:24} {error}")
            return
    first = found.tries[0]
    score = best_score(crystals.density(i), [first.density], ScoreOptions(inversion=True)).ssim
    print(
        f"  {what:24} R {first.agreement.residual:.3f}, {lengths(first.cell)}, {first.source}, "
        f"U {found.u_iso_angstrom2:.3f} Å²: SSIM {score:.3f}, {time.process_time() - start:.1f} CPU s",
        flush=True,
    )


if __name__ == "__main__":
    main()
