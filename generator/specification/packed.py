"""Molecules of a library and how they are packed, as the kernels of the filling `packed` need it."""

from __future__ import annotations

import math
from typing import Final

import gemmi
import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import (
    ATOMIC_NUMBER,
    COVALENT_RADIUS_ANGSTROM,
    SYMBOLS,
    covalent_radius_angstrom,
    is_metal,
)
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.generator.molecules.library import Library, library_of
from xtalpriors.generator.specification.kernel_inputs import (
    MONOCLINIC,
    ORTHORHOMBIC,
    TRICLINIC,
    ElementTable,
    PackedSpec,
)
from xtalpriors.generator.specification.lattice import MetricConstraints
from xtalpriors.generator.specification.symmetry_table import operator_order
from xtalpriors.generator.specification.tables import element_table, single_element, steady
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Categorical
from xtalpriors.priors.distributions.estimate import Estimate

__all__ = ["packed_spec"]

ANIONS: Final = frozenset({"N", "O", "F", "S", "Cl", "Se", "Br", "I"})
MOST_IONS: Final = 3
LARGEST_FACTOR: Final = 4.0
GUARD: Final = 1e-6
"""Margin on contacts above the rounding of what is stored."""
_N: Final = len(SYMBOLS)
_ONLY_MOLECULES: Final = "set packed_metal_organic_share=0 and packed_inorganic_share=0"


def packed_spec(
    bundle: PriorBundle, config: GeneratorConfig, group: SpaceGroup, metric: MetricConstraints
) -> PackedSpec:
    """Tables of the kernels.

    Raises
    ------
    UsageError
        The lengths of the group's cells are not free, or its setting is unusual.
    XtalpriorsError
        As `library_of`; or the bundle's elements have no metal or no anion.
    """
    diagonal = all(np.array_equal(w, np.diag(np.diag(w))) for w in group.rotations)
    if metric.system not in (TRICLINIC, MONOCLINIC, ORTHORHOMBIC) or not diagonal:
        raise UsageError(
            f"filling=packed shrinks each length of the cell on its own, and the lengths of "
            f"{group.hm or group.number} are not free. Use a triclinic, monoclinic or orthorhombic group, or "
            "another filling."
        )
    library = library_of(config.packed_library)
    contact, reach = _contacts(config.packed_contact_factor)
    metals, anions = _elements(bundle, config)
    single = np.array([_sphere(z) for z in range(_N)])
    return PackedSpec(
        offsets=library.offsets,
        element=library.element.astype(np.int64),
        xyz=library.xyz,
        volume=library.volume,
        reach=_reach(library, reach),
        contact2=steady((contact * (1.0 + GUARD)) ** 2),
        atom_reach=steady(reach * (1.0 + GUARD)),
        atom_volume=steady(single),
        metals=metals,
        anions=anions,
        metal_organic_share=config.packed_metal_organic_share,
        inorganic_share=config.packed_inorganic_share,
        most_ions=MOST_IONS,
        coefficient_min=config.packed_coefficient_min,
        largest_factor=LARGEST_FACTOR,
        u_iso=config.packed_u_iso_angstrom2,
        translations=np.ascontiguousarray(group.translations[operator_order(group)].T, dtype=np.float64),
    )


def _contacts(factor: float) -> tuple[F64, F64]:
    """Smallest distance (119, 119) between atoms of two bodies, and the largest share of each element in it.

    Non-metals: `factor` times the sum of their van der Waals radii. A metal touches an oxygen atom at the sum
    of their covalent radii and other non-metals as much farther or nearer as their van der Waals radii say;
    two metal atoms are at least the sum of their covalent radii apart.
    """
    covalent = np.array([r or 0.0 for r in COVALENT_RADIUS_ANGSTROM])
    metal = np.array([z > 0 and is_metal(s) for z, s in enumerate(SYMBOLS)])
    waals = factor * np.array([gemmi.Element(z).vdw_r for z in range(_N)])
    oxygen = ATOMIC_NUMBER["O"]
    radius = np.where(metal, covalent + covalent[oxygen] - waals[oxygen], waals)
    contact = radius[:, None] + radius
    both = metal[:, None] & metal
    contact[both] = (covalent[:, None] + covalent)[both]
    return contact, np.maximum(radius, np.where(metal, covalent, 0.0))


def _reach(library: Library, reach: F64) -> F64:
    distances = np.sqrt((library.xyz**2).sum(axis=1)) + reach[library.element]
    return steady(np.maximum.reduceat(distances, library.offsets[:-1]) * (1.0 + GUARD))


def _sphere(z: int) -> float:
    """Volume of a single atom: of its covalent sphere for a metal, of its van der Waals sphere otherwise."""
    radius = gemmi.Element(z).vdw_r
    if z > 0 and is_metal(SYMBOLS[z]):
        radius = covalent_radius_angstrom(SYMBOLS[z]) or radius
    return 4.0 / 3.0 * math.pi * float(radius) ** 3


def _elements(bundle: PriorBundle, config: GeneratorConfig) -> tuple[ElementTable, ElementTable]:
    """Metals and anions, by their shares on general positions; carbon where none is ever placed."""
    if config.packed_metal_organic_share == config.packed_inorganic_share == 0.0:
        return (single_element("C", "single atoms"),) * 2
    shares = bundle.require("elements", _ONLY_MOLECULES).general.per_site
    metals = [s for s in shares.labels if s in ATOMIC_NUMBER and is_metal(s) and covalent_radius_angstrom(s)]
    anions = [s for s in shares.labels if s in ANIONS]
    if not metals or not anions:
        raise XtalpriorsError(
            f"the elements of {bundle.called} have no {'anions' if metals else 'metals'}, and "
            f"filling=packed places some now and then. Use another bundle, or {_ONLY_MOLECULES}."
        )
    return _table(shares, metals), _table(shares, anions)


def _table(shares: Categorical, wanted: list[str]) -> ElementTable:
    by_label = dict(zip(shares.labels, shares.probabilities, strict=True))
    total = sum(by_label[s] for s in wanted)
    parts = tuple(Estimate(value=by_label[s] / total) for s in wanted)
    part = Categorical(labels=tuple(wanted), shares=parts)
    return element_table(part, "elements of single atoms", with_radii=False)
