"""Lines of a measured powder profile: background, noise, peaks and their areas."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks, peak_widths

from xtalpriors.arrays import F64
from xtalpriors.model.powder.pattern import PowderLines

__all__ = ["background", "profile_lines", "without_second_wavelength"]

_BACKGROUND_DEGREE: Final = 3.0
"""Half the widest structure that counts as a peak."""
_SMOOTH_DEGREE: Final = 0.5
_SMOOTH_POINTS: Final = 1.5
_LEAST_HEIGHT, _LEAST_PROMINENCE = 6.0, 7.0
"""Of a peak, in standard deviations of the smoothed profile."""
_LEAST_RELATIVE: Final = 1e-4
"""Height of a peak, relative to the highest."""
_SECOND_INTENSITY: Final = 0.5
"""Of Kα₂ to Kα₁."""
_TAIL_WIDTHS: Final = 5.0
"""A peak is integrated so many of its full widths at half maximum to each side, or to the next valley."""


def background(two_theta: F64, intensity: F64) -> F64:
    """Background (n,) of a profile: what is left when peaks up to 6° wide are clipped (SNIP, Ryan 1988).

    Square roots are clipped, so that the noise of weak and of strong counts is alike. Clipping follows the
    lower side of the noise; the mean of what stands above, peaks left out, is put back.
    """
    step = float(np.median(np.diff(two_theta)))
    left = np.sqrt(gaussian_filter1d(intensity, 2.0, mode="nearest"))
    n = len(left)
    widest = min(max(1, round(_BACKGROUND_DEGREE / step)), (n - 1) // 2)
    index = np.arange(n)
    for width in range(widest, 0, -max(1, widest // 60)):
        clipped = 0.5 * (left[np.maximum(index - width, 0)] + left[np.minimum(index + width, n - 1)])
        left = np.minimum(left, clipped)
    wide = max(1.0, _SMOOTH_DEGREE / step)
    base: F64 = gaussian_filter1d(left, wide, mode="nearest") ** 2
    for _ in range(3):
        noise = _noise(intensity, base)
        flat = (gaussian_filter1d(intensity, _SMOOTH_POINTS, mode="nearest") - base < 4.0 * noise).astype(
            np.float64
        )
        weight = np.maximum(gaussian_filter1d(flat, wide, mode="nearest"), 1e-3)
        base = base + gaussian_filter1d(flat * (intensity - base), wide, mode="nearest") / weight
    return base


def without_second_wavelength(
    two_theta: F64, net: F64, wavelength_angstrom: float, second_angstrom: float
) -> F64:
    """A profile without background (n,) less what a second, longer wavelength of half the intensity adds.

    Each line of Kα₂ is that of Kα₁ at a lower angle, halved and as wide (Rachinger 1948): from low angles on,
    it is taken away.
    """
    sine = np.sin(np.radians(two_theta / 2.0)) * wavelength_angstrom / second_angstrom
    place = np.interp(2.0 * np.degrees(np.arcsin(sine)), two_theta, np.arange(len(net)), left=-1.0)
    first = net.copy()
    for i in np.flatnonzero(place >= 0.0).tolist():
        k = min(int(place[i]), i - 1)
        share = min(place[i] - k, 1.0)
        first[i] -= _SECOND_INTENSITY * ((1.0 - share) * first[k] + share * first[k + 1 if k + 1 < i else k])
    return first


def profile_lines(
    two_theta: F64, intensity: F64, wavelengths: tuple[float, float] | None = None
) -> PowderLines:
    """Peaks of a profile that stand out of its noise: centres in degrees and areas.

    Peaks that are nearer to each other than their width come out as one line.

    Parameters
    ----------
    two_theta, intensity
        (n,) at nearly equal steps.
    wavelengths
        In Å, of Kα₁ and Kα₂, where the profile has both; the lines are those of Kα₁.
    """
    step = float(np.median(np.diff(two_theta)))
    base = background(two_theta, intensity)
    net = intensity - base
    if wavelengths is not None:
        net = without_second_wavelength(two_theta, net, *wavelengths)
    smooth = gaussian_filter1d(net, _SMOOTH_POINTS, mode="nearest")
    noise = _noise(net + base, smooth + base)
    least = np.maximum(_LEAST_HEIGHT * noise, _LEAST_RELATIVE * float(smooth.max()))
    peaks, _ = find_peaks(smooth, height=least, prominence=_LEAST_PROMINENCE * noise)
    if len(peaks) == 0:
        return PowderLines(np.zeros(0), np.zeros(0))
    widths = peak_widths(smooth, peaks, 0.5)[0]
    typical = float(np.median(widths))
    places = [int(peak) for peak in peaks]
    centres, areas = [], []
    for k, peak in enumerate(places):
        reach = max(2, round(_TAIL_WIDTHS * min(widths[k], 3.0 * typical)))
        left = _end(smooth, peak, places[k - 1] if k else 0, reach, -1)
        right = _end(smooth, peak, places[k + 1] if k + 1 < len(places) else len(net) - 1, reach, 1)
        part = slice(left, right + 1)
        top = smooth[part] > 0.5 * smooth[peak]
        centres.append(float(np.average(two_theta[part][top], weights=smooth[part][top])))
        areas.append(float(net[part].sum()) * step)
    area = np.array(areas)
    return PowderLines(np.array(centres)[area > 0], area[area > 0])


def _end(smooth: F64, peak: int, neighbour: int, reach: int, side: int) -> int:
    """Last point of a peak on one side: the valley before its neighbour, but not further than `reach`."""
    low, high = sorted((peak, neighbour))
    valley = low + int(np.argmin(smooth[low : high + 1]))
    return max(valley, peak - reach) if side < 0 else min(valley, peak + reach)


def _noise(intensity: F64, level: F64) -> F64:
    """Standard deviation (n,) of the smoothed profile, in proportion to the root of the level as counts."""
    root = np.sqrt(np.maximum(level, 1e-3 * max(float(level.max()), 1e-30)))
    scaled = (intensity - level) / root
    spread = 1.4826 * float(np.median(np.abs(scaled - np.median(scaled))))
    # a Gaussian of 1.5 points leaves this part of the deviation of single points
    return np.maximum(0.45 * spread * root, 1e-9 * root)
