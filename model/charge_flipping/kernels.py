"""The loops of charge flipping on the CPU: one pass over the density, one over the reflections a cycle."""

from __future__ import annotations

from typing import Any

import numpy as np

from xtalpriors.compilation import kernel

__all__ = ["MEASURED", "UNKNOWN", "WEAK", "eliminate", "flip", "impose", "relax"]

UNKNOWN, MEASURED, WEAK = 0, 1, 2
"""What becomes of a reflection in a cycle: 0; the measured modulus; turned by π/2 with its calculated modulus
(centric ones, which cannot turn, are left as calculated)."""

_FAST = {"nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc"}
_ROW = 512


@kernel(nogil=True, fastmath=_FAST)
def flip(density: Any, threshold: Any, mean: Any, cubes: Any) -> None:
    """Change the sign of densities (B, N) below thresholds (B,); `cubes` (B,) becomes Σ(ρ − mean)³ before."""
    for b in range(density.shape[0]):
        limit, centre, row = threshold[b], mean[b], density[b]
        total: Any = 0.0
        for start in range(0, len(row), _ROW):
            part: Any = np.float32(0.0)
            for i in range(start, min(start + _ROW, len(row))):
                x = row[i]
                d = x - centre
                part += d * d * d
                row[i] = -x if x < limit else x
            total += part
        cubes[b] = total


@kernel(nogil=True, fastmath=_FAST)
def relax(state: Any, projected: Any, threshold: Any, mean: Any, beta: Any, cubes: Any) -> None:
    """One step of RAAR: x ← ½β(flip(2m − x) + x) + (1 − β)m of states x and projections m, both (B, N)."""
    half, rest = np.float32(0.5) * beta, np.float32(1.0) - beta
    for b in range(state.shape[0]):
        limit, centre, x, m = threshold[b], mean[b], state[b], projected[b]
        total: Any = 0.0
        for start in range(0, len(x), _ROW):
            part: Any = np.float32(0.0)
            for i in range(start, min(start + _ROW, len(x))):
                d = m[i] - centre
                part += d * d * d
                y = np.float32(2.0) * m[i] - x[i]
                x[i] = half * ((-y if y < limit else y) + x[i]) + rest * m[i]
            total += part
        cubes[b] = total


@kernel(nogil=True, fastmath=_FAST)
def eliminate(density: Any, fraction: Any) -> None:
    """Low-density elimination of (B, N): ρ ≤ 0 → 0, else ρ(1 − exp(−½(ρ/ρc)²)), ρc = fraction·⟨ρ > 0⟩.

    exp(−t) is taken as (1 + y + y²/2 + y³/6)⁻⁸ with y = t/8, which vectorises; it is right to 1e-4.
    """
    one = np.float32(1.0)
    for b in range(density.shape[0]):
        row = density[b]
        total: Any = 0.0
        count = 0
        for start in range(0, len(row), _ROW):
            part: Any = np.float32(0.0)
            n = 0
            for i in range(start, min(start + _ROW, len(row))):
                x = row[i]
                part += x if x > 0 else np.float32(0.0)
                n += 1 if x > 0 else 0
            total += part
            count += n
        cut = np.float32(fraction * total / max(count, 1))
        scale = np.float32(0.0625) / (cut * cut) if cut > 0 else np.float32(0.0)
        for i in range(len(row)):
            x = row[i] if row[i] > 0 else np.float32(0.0)
            y = min(x * x * scale, np.float32(8.0))
            e = one + y * (one + y * (np.float32(0.5) + y * np.float32(0.16666667)))
            e *= e
            e *= e
            e *= e
            row[i] = x - x / e


@kernel(nogil=True, fastmath=_FAST)
def impose(
    spectrum: Any, target: Any, starts: Any, place: Any, conjugate: Any, turn: Any, allowed: Any, weight: Any,
    moduli: Any, role: Any, power: Any, calculated: Any,
) -> None:  # fmt: skip
    """Measured moduli with the phases of a spectrum, symmetrised.

    Half grids `spectrum` and `target` are float32 (B, G, 2), `moduli` and `role` (1 or B, U); `power` (B,)
    becomes Σ|F|² of the target without F(000), which is copied. `calculated` (B, U, 2) becomes F_calc; it may
    have no rows.
    """
    zero = np.float32(0.0)
    for b in range(spectrum.shape[0]):
        row = b if moduli.shape[0] > 1 else 0
        read, write = spectrum[b], target[b]
        total = 0.0
        for u in range(len(starts) - 1):
            re, im = zero, zero
            for p in range(starts[u], starts[u + 1]):
                x, y = read[place[p], 0], read[place[p], 1]
                c, s = turn[p, 0], turn[p, 1]
                re += x * c + y * s
                im += -(y * c - x * s) if conjugate[p] else y * c - x * s
            n = np.float32(starts[u + 1] - starts[u])
            re, im = re / n, im / n
            ar, ai = allowed[u, 0], allowed[u, 1]
            centric = ar != 0 or ai != 0
            if centric:
                along = re * ar + im * ai
                re, im = along * ar, along * ai
            if calculated.shape[0] > 0:
                calculated[b, u, 0], calculated[b, u, 1] = re, im
            kind = role[row, u]
            if kind == UNKNOWN:
                re, im = zero, zero
            elif kind == MEASURED:
                size = np.sqrt(re * re + im * im)
                a = moduli[row, u]
                if size > 0:
                    re, im = re * (a / size), im * (a / size)
                elif centric:
                    re, im = a * ar, a * ai
                else:
                    re, im = a, zero
            elif kind == WEAK and not centric:
                re, im = -im, re
            total += weight[u] * (re * re + im * im)
            for p in range(starts[u], starts[u + 1]):
                c, s = turn[p, 0], turn[p, 1]
                y = -im if conjugate[p] else im
                write[place[p], 0] = re * c - y * s
                write[place[p], 1] = re * s + y * c
        write[0, 0], write[0, 1] = read[0, 0], zero
        power[b] = total
