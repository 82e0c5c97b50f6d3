"""What the parts of the dual-space network are worth: trained without them, asked about the same crystals.

Every variant is the preset `cpu` with the options of `VARIANTS`, trained on as many artificial crystals of
P2₁/c (200–360 Å³, 1.8–2.0 Å) on one thread. The reference is trained from two seeds: what lies between the
two is chance. Then each is asked about crystals to 2.0 Å that it has not seen:

- after: four steps after one short trial of charge flipping, so that nothing hangs on the choice of a trial;
- alone: 16 steps from 4 origin-fixing starts, of which strict agreement chooses.

Printed are the shares with r ≥ 0.8 and r ≥ 0.95 and the mean r, with
differences from the reference, paired by crystal, and their bootstrap 95 % intervals.

    python benchmarks/phasing/dual_space_training.py FOLDER [--crystals 5000] [--structures 300]
        [--ask after alone]

FOLDER gets a folder for each variant. What is trained already is not trained again.
"""

from __future__ import annotations

import argparse
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from dual_space import bootstrap
from equal_time_sides import Side, alone_side, flipping_side, hybrid_side, no_harker_features

from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, artificial_crystals
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.dual_space import inputs
from xtalpriors.model.dual_space.config import load_config
from xtalpriors.model.dual_space.training import train_dual_space
from xtalpriors.model.dual_space.weights import FILE_NAME, load_network
from xtalpriors.priors import published_bundle

GROUP, VOLUMES, RESOLUTIONS = "P 1 21/c 1", (200.0, 360.0), (1.8, 2.0)
COMMON: dict[str, object] = {
    "size.width": 24,
    "crystals.space_groups": (GROUP,),
    "crystals.volumes_angstrom3": VOLUMES,
    "crystals.d_min_angstrom": RESOLUTIONS,
    "crystals.points_at_once": 1500,
    "validation_crystals": 0,
}
REFERENCE, NO_HARKER = "reference: 24 channels", "no Harker inputs"
VARIANTS: dict[str, dict[str, object]] = {
    REFERENCE: {},
    "reference, another seed": {"seed": 1},
    NO_HARKER: {},
    "no starts from charge flipping": {"states.flipping": 0.0},
    "12 channels": {"size.width": 12},
    "48 channels": {"size.width": 48},
}
STEPS, STARTS, STEPS_ALONE = 4, 4, 16


def inputs_of(variant: str) -> AbstractContextManager[object]:
    """Where networks of this variant are trained and used."""
    if variant == NO_HARKER:
        return patch.object(inputs, "harker_features", no_harker_features)
    return nullcontext()


def train(folder: Path, variant: str, crystals: int) -> float:
    """Train a variant, unless that was done; CPU seconds."""
    started = time.process_time()
    if not (folder / FILE_NAME).exists() or load_network(folder)[1].structures < crystals:
        config = load_config("cpu", {**COMMON, "structures": crystals, **VARIANTS[variant]})
        with inputs_of(variant):
            train_dual_space(config, published_bundle(), folder, name=variant)
    return time.process_time() - started


def asked(side: Side, n: int, crystals: list[KnownCrystal]) -> np.ndarray:
    """r of the answer for every crystal, (N,)."""
    found = []
    for i, made in enumerate(crystals):
        f, chosen = side(made, n, np.random.default_rng(i))
        found.append(float(map_correlation(made.grid, f[chosen][None], made.f, made.amplitudes)[0]))
    return np.array(found)


def line(name: str, r: np.ndarray, base: np.ndarray) -> str:
    """Scores of a variant, and what they differ from the reference's by."""
    parts = []
    for score in (lambda x: x >= 0.8, lambda x: x >= 0.95, lambda x: x):
        value, difference = score(r).mean(), score(r).astype(float) - score(base)
        low, high = bootstrap(difference)
        parts.append(f"{value:.3f} Δ {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]")
    return f"  {name:36s} {'   '.join(parts)}"


def main() -> None:
    """Train, then ask."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--crystals", type=int, default=5_000, help="To train a variant on")
    parser.add_argument("--structures", type=int, default=300, help="To ask about")
    parser.add_argument("--ask", nargs="+", choices=["after", "alone"], default=["after", "alone"])
    a = parser.parse_args()
    torch.set_num_threads(1)
    folders = {name: a.folder / "".join(c if c.isalnum() else "-" for c in name) for name in VARIANTS}
    for name, folder in folders.items():
        seconds = train(folder, name, a.crystals)
        _, card = load_network(folder)
        print(
            f"{name}: {card.parameters:,} parameters, {card.structures:,} crystals, {seconds:.0f} s of CPU",
            flush=True,
        )
    crystals = list(artificial_crystals(GROUP, a.structures, RESOLUTIONS[1], VOLUMES, seed=5))
    for question in a.ask:
        print(f"{question}, N = {len(crystals)}: r ≥ 0.8, r ≥ 0.95, mean r")
        base = None
        for name, folder in folders.items():
            network, card = load_network(folder)
            network.in_half, trained = True, card.config.crystals
            with inputs_of(name):
                if question == "alone":
                    r = asked(alone_side(network, trained, STEPS_ALONE), STARTS, crystals)
                else:
                    r = asked(hybrid_side(network, trained, STEPS), 1, crystals)
            base = r if base is None else base
            print(line(name, r, base), flush=True)
        assert base is not None
        print(line("charge flipping, one short trial", asked(flipping_side(), 1, crystals), base), flush=True)


if __name__ == "__main__":
    main()
