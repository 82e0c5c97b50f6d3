"""Reads a powder pattern from a text file, a profile or a list of lines, and makes the networks' vector."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from xtalpriors.arrays import F32, F64
from xtalpriors.errors import UsageError
from xtalpriors.model.powder.pattern import (
    MO_K_ALPHA_ANGSTROM,
    PowderLines,
    bin_lines,
    lorentz_polarisation,
)
from xtalpriors.model.powder.profile import profile_lines

__all__ = ["MeasuredPattern", "network_vector", "read_pattern"]

_LARGEST_BYTES: Final = 2**25
_FEWEST_PROFILE_POINTS: Final = 100
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WAVELENGTHS_ANGSTROM: Final = (0.1, 5.0)
_LARGEST_TWO_THETA: Final = 179.9
_LARGEST_RATIO: Final = 1.02


@dataclass(frozen=True, slots=True)
class MeasuredPattern:
    """A pattern and its lines.

    Attributes
    ----------
    two_theta
        (n,) degrees, as in the file.
    kind
        `profile`, or `lines`, of which each is one row of the file.
    lines
        Position and integrated intensity of each line.
    wavelength_angstrom
        Of the radiation.
    """

    two_theta: F64
    kind: Literal["profile", "lines"]
    lines: PowderLines
    wavelength_angstrom: float

    @property
    def d_min_angstrom(self) -> float:
        """Resolution: the spacing at the largest angle of the file."""
        return float(self.wavelength_angstrom / (2.0 * np.sin(np.radians(self.two_theta[-1] / 2.0))))


def read_pattern(
    path: Path, wavelength_angstrom: float | None, second_angstrom: float | None = None
) -> MeasuredPattern:
    """Read a file of two columns, 2θ in degrees and intensity; further columns and comments are passed over.

    Rows at equal steps are a profile, whose peaks are found and integrated; other rows are lines.

    Parameters
    ----------
    path
        `.xy`, `.xye`, `.csv` or any text with a point a line, separated by blanks, commas or semicolons.
    wavelength_angstrom
        Of the radiation; without it angles say nothing about spacings.
    second_angstrom
        Of Kα₂, where a profile has it beside Kα₁; lines are those of Kα₁ alone.

    Raises
    ------
    UsageError
        No wavelength, or a second one that is not a little longer; a file that cannot be read or has no such
        columns; angles that do not ascend or are not between 0 and 180°; a negative intensity; no peak.
    """
    if wavelength_angstrom is None:
        raise UsageError(
            f"The wavelength of {path} is missing, without which its angles are no spacings. Give it in Å, "
            "as in --wavelength 1.5406 for Cu Kα1."
        )
    low, high = _WAVELENGTHS_ANGSTROM
    if not low <= wavelength_angstrom <= high:
        raise UsageError(
            f"The wavelength is {wavelength_angstrom:g} Å, and X-rays of powder diffraction have {low:g} to "
            f"{high:g} Å. Give it in Å, as in --wavelength 1.5406."
        )
    if second_angstrom is not None and not 1.0 < second_angstrom / wavelength_angstrom < _LARGEST_RATIO:
        raise UsageError(
            f"The wavelength of Kα₂ is {second_angstrom:g} Å, and that of Kα₁ {wavelength_angstrom:g} Å: Kα₂ "
            "is up to 2 % longer. Cu has --wavelength 1.5406 --k-alpha-2 1.5444."
        )
    two_theta, intensity, at = _columns(path)
    _check(path, two_theta, intensity, at)
    seen = two_theta > 0.0  # a scan may begin at 0, where no line can lie
    two_theta, intensity = two_theta[seen], intensity[seen]
    steps = np.diff(two_theta)
    is_profile = len(two_theta) >= _FEWEST_PROFILE_POINTS and bool(
        np.mean(np.abs(steps - np.median(steps)) < 0.25 * np.median(steps)) > 0.9
    )
    if is_profile:
        both = None if second_angstrom is None else (wavelength_angstrom, second_angstrom)
        lines = profile_lines(two_theta, intensity, both)
    else:
        lines = PowderLines(two_theta[intensity > 0], intensity[intensity > 0])
    if len(lines.two_theta) == 0:
        raise UsageError(
            f"{path} has no peak{' above its noise' if is_profile else ''}: nothing tells a structure from "
            "it. Is it the pattern of a crystalline sample, with the intensity in the second column?"
        )
    return MeasuredPattern(two_theta, "profile" if is_profile else "lines", lines, wavelength_angstrom)


def network_vector(pattern: MeasuredPattern) -> F32:
    """The vector (1024,) of a pattern as if it had been measured with Mo Kα (see `pattern.bin_lines`)."""
    return bin_lines(with_wavelength(pattern.lines, pattern.wavelength_angstrom, MO_K_ALPHA_ANGSTROM))


def with_wavelength(lines: PowderLines, before_angstrom: float, after_angstrom: float) -> PowderLines:
    """Lines as another wavelength has them, with its Lorentz–polarisation factor; none beyond 180°."""
    sine = np.sin(np.radians(lines.two_theta / 2.0)) * (after_angstrom / before_angstrom)
    seen = sine < 0.9999
    angles = np.degrees(2.0 * np.arcsin(sine[seen]))
    factor = lorentz_polarisation(angles) / lorentz_polarisation(lines.two_theta[seen])
    return PowderLines(angles, lines.intensity[seen] * factor)


def _columns(path: Path) -> tuple[F64, F64, list[int]]:
    """First two columns of the rows that begin with two numbers, and the numbers of these lines."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UsageError(f"{path} is larger than 32 MB: a powder pattern is a text of some 100 kB.")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    angles, values, at = [], [], []
    for number, line in enumerate(text.splitlines(), 1):
        words = re.split(r"[\s,;]+", line.strip(" \t,;"))
        if len(words) >= 2 and all(map(_NUMBER.fullmatch, words[:2])):
            angles.append(float(words[0]))
            values.append(float(words[1]))
            at.append(number)
    if not angles:
        raise UsageError(
            f"{path} has no line of two numbers. A pattern is a text of two columns: 2θ in degrees and "
            "intensity."
        )
    return np.array(angles), np.array(values), at


def _check(path: Path, two_theta: F64, intensity: F64, at: list[int]) -> None:
    """Raise UsageError for values that no pattern has; the message names the line of the file."""
    outside = np.flatnonzero((two_theta < 0.0) | (two_theta > _LARGEST_TWO_THETA))
    if len(outside):
        i = outside[0]
        raise UsageError(
            f"{path}, line {at[i]}: 2θ is {two_theta[i]:g}°, and lies between 0 and 180°. Is the first "
            "column 2θ in degrees?"
        )
    falling = np.flatnonzero(np.diff(two_theta) <= 0.0)
    if len(falling):
        i = falling[0] + 1
        raise UsageError(
            f"{path}, line {at[i]}: 2θ is {two_theta[i]:g}° after {two_theta[i - 1]:g}°, and must ascend. "
            "Sort the lines by the first column, and give one scan only."
        )
    negative = np.flatnonzero(intensity < 0.0)
    if len(negative):
        i = negative[0]
        raise UsageError(
            f"{path}, line {at[i]}: the intensity is {intensity[i]:g}, and cannot be negative. Give the "
            "counts as they were measured, before a background was subtracted."
        )
    if not np.isfinite(intensity).all():
        raise UsageError(f"{path} has an intensity that is too large for a number.")
