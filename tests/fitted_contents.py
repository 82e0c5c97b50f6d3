"""Neighbours and sets of elements by a simple rule, and a bundle with them, to test `fitted`."""

from __future__ import annotations

from functools import cache

import numpy as np
from fitted_cells import cell_bundle

from xtalpriors.priors.bundle import PriorBundle, make_bundle
from xtalpriors.priors.distributions.distribution import Empirical, fixed
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.kinds.bonds import Bonds, PairOfElements
from xtalpriors.priors.kinds.contents import Contents, ElementSet

BOND = (0.95, 1.05)
"""d / (R_A + R_B) of the bonds; nothing else is nearer than 1.3."""
BONDED = {("C", "C"), ("C", "O"), ("C", "H"), ("H", "O"), ("Cl", "Na")}
N_BINS = 96


def _pair(a: str, b: str) -> PairOfElements:
    ratio = np.sqrt(np.linspace(0, 2.2**2, N_BINS + 1))[:-1]
    bonds = tuple(sorted((a, b))) in BONDED
    inside = (ratio > BOND[0] - 0.02) & (ratio < BOND[1])
    log_g = np.where(bonds & inside, 3.0, np.where(ratio < 1.3, -6.0, 0.0))
    table = Empirical(probabilities=(0.0, 1.0), values=BOND)
    length = ScalarPrior(n_clusters=100, unit="1", convention="", empirical=table)
    return PairOfElements(
        n_clusters=100,
        log_g=tuple(log_g.tolist()),
        coordination=(2.0, 2.0) if bonds else (0.0, 0.0),
        length=length if bonds else None,
    )


def _set(elements: str, volume: float, share: float, general: tuple[float, ...]) -> ElementSet:
    names = tuple(x for x in elements.split() if x != "H")
    kind = "organic" if "C" in names else "inorganic"
    return ElementSet(
        elements=names, hydrogen="H" in elements.split(), kind=kind, share=fixed(share),
        volume_per_atom=volume, with_special=0.5, general=general, special=None,
    )  # fmt: skip


@cache
def contents_bundle() -> PriorBundle:
    """`cell_bundle` with salts of Na and Cl (40 %) and molecules of C, O and H (60 %)."""
    elements = ["C", "Cl", "H", "Na", "O"]
    bonds = Bonds(
        convention="by rule",
        ratio_max=2.2,
        bond_max=1.25,
        cutoff_angstrom=4.0,
        kinds={x: (x,) for x in elements},
        pairs={},
        pooled={f"{a} & {b}": _pair(a, b) for i, a in enumerate(elements) for b in elements[i:]},
    )
    sets = {"Na Cl": _set("Na Cl", 18.0, 0.4, (0.5, 0.5)), "C O H": _set("C O H", 16.0, 0.6, (0.8, 0.2))}
    contents = Contents(n=100, n_clusters=100, sets=sets, left_out=0.0)
    base = cell_bundle()
    priors = base.priors.model_copy(update={"bonds": bonds, "contents": contents})
    return make_bundle("contents", base.created_from, priors)
