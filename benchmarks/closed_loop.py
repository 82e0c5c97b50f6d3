"""Coverage of the 95 % intervals over many seeds: priors → values → CIFs → the reader → fits.

`python benchmarks/closed_loop.py [SEEDS] [STRUCTURES]`: the loop of `tests/priors/test_closed_loop.py`, 200
seeds of 150 structures unless told otherwise. Prints, for each parameter, how often its interval held the
truth, lay above it and lay below it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np


def loop_module() -> ModuleType:
    """The test module, which holds the generator of the CIFs."""
    path = Path(__file__).resolve().parents[1] / "tests" / "priors" / "test_closed_loop.py"
    spec = importlib.util.spec_from_file_location("closed_loop", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(seeds: int = 200, structures: int = 150) -> None:
    """Print the coverage of each parameter and of all together."""
    loop = loop_module()
    inside: dict[str, list[tuple[bool, bool, bool]]] = {}
    for seed in range(seeds):
        texts = loop.draw_cifs(structures, np.random.default_rng([9, seed]))
        for name, (estimate, truth) in loop.estimates(loop.fit_texts(texts, f"seed-{seed}")).items():
            held = (estimate.low <= truth <= estimate.high, truth < estimate.low, truth > estimate.high)
            inside.setdefault(name, []).append(held)
    print(f"{seeds} seeds of {structures} structures\n{'parameter':16} fits  holds  above  below")
    for name, held in inside.items():
        print(f"{name:16} {len(held):4}  " + "  ".join(f"{share:.3f}" for share in np.mean(held, axis=0)))
    everything = [h[0] for held in inside.values() for h in held]
    print(f"{'all':16} {len(everything):4}  {np.mean(everything):.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
