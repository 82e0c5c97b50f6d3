"""Maps of one crystal on its way through the dual-space network: at the start and after 1, 2, 4 and 8 steps.

The start is one short trial of charge flipping. Of artificial crystals in P2₁/c at 1.5 Å the first one is
drawn whose start is not solved (r < 0.8) and which the network solves in eight steps: an example of what a
step does, and no measure of how often it helps, which is `dual_space.py`'s.

    python benchmarks/phasing/dual_space_maps.py docs/figures/dual-space-steps.svg
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor

from xtalpriors.model.charge_flipping.flipping import settings_for
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, artificial_crystals
from xtalpriors.model.charge_flipping.map_correlation import aligned, map_correlation
from xtalpriors.model.charge_flipping.trials import phase_by_charge_flipping
from xtalpriors.model.dual_space.inputs import known_of
from xtalpriors.model.dual_space.network import DualSpaceNetwork, phasors
from xtalpriors.model.dual_space.phasing import grid_of_crystal, listed, places_of
from xtalpriors.model.dual_space.states import logits_of
from xtalpriors.model.dual_space.weights import shipped_network
from xtalpriors.reports.style import LIGHT, figure_style, new_figure, render_svg

GROUP, D_MIN_ANGSTROM, VOLUMES_ANGSTROM3 = "P 1 21/c 1", 1.5, (200.0, 300.0)
SHOWN = (1, 2, 4, 8)
CYCLES = 25
"""Of the trial that the network starts from."""
SOLVED = 0.8
FINER = 3
"""Points of the drawn map along an axis, over those of the reflections' grid."""


@dataclass(frozen=True, slots=True)
class Way:
    """A crystal, and structure factors of the start, after the steps that are shown, and of the truth.

    The truth is described from the origin of the last state. r has no value for it.
    """

    crystal: KnownCrystal
    f: list[Tensor]
    r: list[float]


def way_of(crystal: KnownCrystal, network: DualSpaceNetwork, seed: int) -> Way:
    """The states of one crystal."""
    made = crystal.grid
    settings = settings_for(D_MIN_ANGSTROM, cycles=CYCLES)
    start = phase_by_charge_flipping(
        made, crystal.amplitudes, crystal.cell, rng=np.random.default_rng(seed), settings=settings
    )
    grid = grid_of_crystal(made.group, crystal.cell, D_MIN_ANGSTROM)
    place = torch.from_numpy(places_of(grid, made.hkl))
    amplitudes = listed(grid, made.hkl, crystal.amplitudes)
    known = known_of(grid, np.array([crystal.cell]), amplitudes[None])
    f = torch.zeros(1, len(amplitudes), dtype=torch.complex64)
    f[:, place] = start.f
    with torch.no_grad():
        taken = network(logits_of(f, amplitudes[None], known), known, max(SHOWN))
    states = [start.f, *(phasors(taken[n - 1].logits)[:, place] for n in SHOWN)]
    r = [float(map_correlation(made, s, crystal.f, crystal.amplitudes)[0]) for s in states]
    true = aligned(made, states[-1], crystal.f, crystal.amplitudes.square()[None]).true
    unit = [s / s.abs().clamp(min=1e-30) for s in (*states, true)]
    return Way(crystal, [u * crystal.amplitudes for u in unit], r)


def projected(way: Way, f: Tensor) -> np.ndarray:
    """Mean density along b, in standard deviations of the projection, (points along a, along c)."""
    nx, ny, nz = (FINER * n for n in way.crystal.grid.shape)
    grid = ReflectionGrid(way.crystal.grid.group, way.crystal.grid.hkl, (nx, ny, nz))
    density = grid.density(f)[0].mean(dim=1)
    scaled: np.ndarray = ((density - density.mean()) / density.std()).numpy()
    return scaled


def drawn(way: Way) -> str:
    """The figure as SVG."""
    heads = ["charge flipping", *(f"{n} step{'s' if n > 1 else ''}" for n in SHOWN), "the structure"]
    scores = [*(f", r = {r:.2f}".replace("-", "−") for r in way.r), ""]
    a, _, c, _, beta, _ = way.crystal.cell
    skew = np.cos(np.radians(beta))
    colours = LinearSegmentedColormap.from_list("density", [LIGHT["surface"], LIGHT["data"], LIGHT["ink"]])
    with figure_style("dual-space-steps"):
        figure, panels = new_figure(len(heads), columns=3, row_height=2.0)
        for axes, head, score, f in zip(panels, heads, scores, way.f, strict=True):
            density = projected(way, f)
            u, w = (np.linspace(0.0, 1.0, n + 1) for n in density.shape)
            x = a * u[:, None] + c * skew * w[None]
            z = np.tile(c * np.sqrt(1.0 - skew**2) * w, (len(u), 1))
            closed = np.pad(density, ((0, 1), (0, 1)), mode="wrap")
            axes.contourf(x, z, closed, levels=np.arange(0.5, 6.01, 0.5), cmap=colours, extend="max")
            corners = [0, 0], [-1, 0], [-1, -1], [0, -1], [0, 0]
            outline = [x[i, j] for i, j in corners], [z[i, j] for i, j in corners]
            axes.plot(*outline, color=LIGHT["muted"], linewidth=0.8)
            axes.set_title(head + score, fontsize=8.5)
            axes.set_aspect("equal")
            axes.set_axis_off()
        footer = f"{GROUP}, d ≥ {D_MIN_ANGSTROM:g} Å, seen along b; |F| with the phases of each state"
        return render_svg(figure, footer)


def main() -> None:
    """Choose, draw, and say what was drawn."""
    torch.set_num_threads(1)
    network, card = shipped_network()
    crystals = artificial_crystals(GROUP, 200, D_MIN_ANGSTROM, VOLUMES_ANGSTROM3, seed=9)
    for number, crystal in enumerate(crystals):
        way = way_of(crystal, network, number)
        if way.r[0] < SOLVED <= way.r[-1]:
            break
    else:
        sys.exit("none of 200 crystals is solved by the network alone")
    Path(sys.argv[1]).write_text(drawn(way), encoding="utf-8")
    print(f"{card.name}: crystal {number}; r {', '.join(f'{r:.3f}' for r in way.r)}")


if __name__ == "__main__":
    main()
