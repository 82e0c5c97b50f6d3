"""Networks of `xtalpriors train` compared on the same generated crystals, paired.

Each has the validation set of the first one's configuration, the same number of cycles from phases zero, and
one run a crystal. Differences from the first are means over crystals with bootstrap 95 % intervals (2,000
draws).

    python benchmarks/phasing/phai_pairs.py FOLDER FOLDER … [--structures 4096]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from dual_space import bootstrap

from xtalpriors.model.network.inputs import InputScaling
from xtalpriors.model.network.weights import load_model
from xtalpriors.model.scoring.runs import reflections_of
from xtalpriors.model.training.config import make_config
from xtalpriors.model.training.validation import correlations, generated_set
from xtalpriors.priors.bundle import published_bundle

LIMITS = (0.8, 0.95)


def main() -> None:
    """Print a line a network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--structures", type=int, default=4096)
    a = parser.parse_args()
    torch.set_num_threads(1)
    networks = [load_model(folder) for folder in a.folders]
    card = networks[0][1]
    config = make_config(card.training)
    validation = config.validation.model_copy(update={"count": a.structures})
    config = config.model_copy(update={"validation": validation})
    reflections = reflections_of(card)
    data = generated_set(config, published_bundle(), reflections)
    first: np.ndarray | None = None
    for folder, (network, its_card) in zip(a.folders, networks, strict=True):
        scaling = InputScaling(reflections, its_card.scaling)
        r = correlations(network, reflections, scaling, data, cycles=config.validation.cycles).numpy()
        first = r if first is None else first
        parts = [f"mean r {r.mean():.3f} {between(r - first)}", f"median {np.median(r):.3f}"]
        for limit in LIMITS:
            solved = (r >= limit).astype(float)
            parts.append(f"r ≥ {limit}: {solved.mean():.3f} {between(solved - (first >= limit))}")
        print(f"{folder.name:24s} {its_card.structures:,} structures; {', '.join(parts)}", flush=True)


def between(differences: np.ndarray) -> str:
    """Mean and interval."""
    low, high = bootstrap(differences)
    return f"(Δ {differences.mean():+.3f} [{low:+.3f}, {high:+.3f}])"


if __name__ == "__main__":
    main()
