"""Which figure of merit chooses best among trials of charge flipping, and what a learned choice adds to it.

Artificial molecules of six groups, 1.4–2.0 Å, or real crystals of a subset or of a folder of CIFs to 2.0 Å;
24 short trials each. Figures of a trial, without the truth:

- agreement with what elimination leaves, by its ρc; `agreement` is that of the cycles that polish;
- how well the group fitted before it was imposed;
- positivity Σρ₊²/Σρ² and skewness of the maps with |F| and with |E|;
- Sayre: correlation of the strongest E with the coefficients of the squared E-map; ψ₀: how small these
  coefficients are where |E| is smallest;
- consensus: r with the second nearest other trial, over permissible origins and hands;
- support: ln Σ r⁴ over all trials; score: `choice.score`, which is what `Trials.best` takes.

For each figure the share of crystals that are solved if the trial with its largest value is taken, and the
difference from `agreement`; then a learned choice: logits linear in all figures, or by a layer of 8, in
standard deviations over the trials of a crystal, trained listwise, tested on crystals left out (five folds).

    python benchmarks/phasing/choice.py [--structures 50] [--seed 11] [--groups "P 1 21/c 1" …]
        [--corpus FOLDER-OF-CIFS | --subset FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from dual_space import GROUPS, bootstrap
from real_crystals import real_crystals
from torch import Tensor, nn

from xtalpriors.crystal import SpaceGroup
from xtalpriors.model.charge_flipping.elimination import eliminate
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, artificial_crystals
from xtalpriors.model.charge_flipping.map_correlation import map_correlation, mutual_correlation
from xtalpriors.model.charge_flipping.trials import Trials, normalised, phase_by_charge_flipping

TRIALS, FOLDS, STEPS = 24, 5, 200
FRACTIONS = (0.4, 0.6, 0.9, 1.4, 2.5)


def figures(made: KnownCrystal, found: Trials) -> dict[str, Tensor]:
    """Figures of merit of trials, (T,) each; the larger, the better."""
    grid, pairs = made.grid, torch.from_numpy(made.grid.multiplicity).float()
    phasor = found.f / found.f.abs().clamp(min=1e-30)
    e = normalised(grid, made.amplitudes, made.cell)
    result = {"agreement": found.agreement, "symmetry": found.symmetry}
    for fraction in FRACTIONS:
        strict = eliminate(grid, made.amplitudes, phasor, cycles=1, fraction=fraction)
        result[f"agreement, ρc = {fraction:g}⟨ρ > 0⟩"] = strict.agreement
    maps = {"F": grid.density(phasor * made.amplitudes), "E": grid.density(phasor * e)}
    for name, density in maps.items():
        z = density.flatten(1) / density.flatten(1).square().mean(dim=1, keepdim=True).sqrt()
        result[f"positivity, {name}"] = z.clamp(min=0.0).square().mean(dim=1)
        result[f"skewness, {name}"] = z.pow(3).mean(dim=1)
    squared = grid.collect(torch.fft.rfftn(maps["E"].square(), dim=(1, 2, 3), norm="forward"))
    order = e.argsort()
    weak, strong = order[: len(e) // 4], order[-(len(e) // 3) :]
    across = ((phasor.conj() * squared).real * e * pairs)[:, strong].sum(dim=1)
    power = squared.abs().square() * pairs
    result["Sayre"] = across / power[:, strong].sum(dim=1).sqrt()
    result["ψ₀"] = -(power[:, weak].sum(dim=1) / power[:, strong].sum(dim=1)).log()
    between = mutual_correlation(grid, phasor, made.amplitudes)
    result["consensus"] = between.sort(dim=1, descending=True).values[:, 2]  # the first is itself
    result["support"] = between.clamp(min=0.0).pow(4).sum(dim=1).log()
    result["score"] = found.score
    return result


def molecules(groups: list[str], structures: int, seed: int) -> Iterator[KnownCrystal]:
    """Artificial molecules, to another resolution each."""
    rng = np.random.default_rng(seed)
    for symbol in groups:
        scale = max(1.0, SpaceGroup.from_hm(symbol).order / 4)
        for i in range(structures):
            d_min, volumes = float(rng.uniform(1.4, 2.0)), (200.0 * scale, 500.0 * scale)
            # one crystal of each of many seeds: resolutions differ
            yield next(artificial_crystals(symbol, 1, d_min, volumes, seed=1000 * seed + i))


def learned(x: Tensor, r: Tensor, hidden: int) -> Tensor:
    """Trials chosen (N,) by a choice that was trained on the other folds, of figures (N, T, K)."""
    z = (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, keepdim=True).clamp(min=1e-6)
    worth = torch.sigmoid((r - 0.8) / 0.04) + 0.7 * torch.sigmoid((r - 0.95) / 0.015) + 0.5 * r
    target = torch.softmax(4.0 * worth, dim=1)
    chosen = torch.empty(len(x), dtype=torch.int64)
    fold = torch.arange(len(x)) % FOLDS
    for k in range(FOLDS):
        torch.manual_seed(0)
        inputs = z.shape[2]
        model = (
            nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, 1))
            if hidden
            else nn.Linear(inputs, 1, bias=False)
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=1e-3)
        for _ in range(STEPS):
            logits = model(z[fold != k])[..., 0]
            loss = -(target[fold != k] * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            chosen[fold == k] = model(z[fold == k])[..., 0].argmax(dim=1)
    return chosen


def main() -> None:
    """All lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--structures", type=int, default=50, help="Of each group")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--groups", nargs="+", default=list(GROUPS))
    real = parser.add_mutually_exclusive_group()
    real.add_argument("--corpus", type=Path, help="A folder of CIFs")
    real.add_argument("--subset", type=Path, help="A subset, NAME.parquet")
    a = parser.parse_args()
    torch.set_num_threads(1)
    names: list[str] = []
    values, scores = [], []
    rng = np.random.default_rng(a.seed)
    crystals = molecules(a.groups, a.structures, a.seed)
    if source := a.corpus or a.subset:
        crystals = (made for g in a.groups for made in real_crystals(source, g, 2.0, a.structures))
    for made in crystals:
        found = phase_by_charge_flipping(made.grid, made.amplitudes, made.cell, trials=TRIALS, rng=rng)
        row = figures(made, found)
        names = list(row)
        # ψ₀ is infinite where the weakest reflections have no counterpart in the squared map
        values.append(torch.stack(list(row.values()), dim=1).float().nan_to_num())
        scores.append(map_correlation(made.grid, found.f, made.f, made.amplitudes))
    x, r = torch.stack(values), torch.stack(scores)
    choices = {name: x[..., j].argmax(dim=1) for j, name in enumerate(names)}
    choices |= {"learned, linear": learned(x, r, 0), "learned, layer of 8": learned(x, r, 8)}
    choices["the best trial"] = r.argmax(dim=1)
    print(f"N = {len(r)}, {TRIALS} trials each; r ≥ 0.8, r ≥ 0.95")
    base = r.gather(1, choices["agreement"][:, None])[:, 0].numpy()
    for name, choice in choices.items():
        taken = r.gather(1, choice[:, None])[:, 0].numpy()
        parts = []
        for limit in (0.8, 0.95):
            gain = (taken >= limit).astype(float) - (base >= limit)
            low, high = bootstrap(gain)
            parts.append(f"{(taken >= limit).mean():.3f} Δ {gain.mean():+.3f} [{low:+.3f}, {high:+.3f}]")
        print(f"  {name:28s} {'   '.join(parts)}")


if __name__ == "__main__":
    main()
