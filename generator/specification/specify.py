"""From a bundle and a configuration to the numbers of the kernels; every check of the input is here."""

from __future__ import annotations

from typing import NamedTuple

from xtalpriors.arrays import F64
from xtalpriors.counted import counted
from xtalpriors.crystal.chemistry.elements import covalent_radius_angstrom
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig, space_group_of
from xtalpriors.generator.specification.cells import cell_spec, fitted_cell_spec
from xtalpriors.generator.specification.kernel_inputs import (
    EQUAL_ATOMS,
    FITTED,
    MOLECULES,
    PACKED,
    RANDOM,
    CellSpec,
    ContentSpec,
    ElementTable,
    PackedSpec,
    Spec,
    SpecialTable,
)
from xtalpriors.generator.specification.lattice import metric_constraints
from xtalpriors.generator.specification.neighbours import neighbour_tables, no_neighbours
from xtalpriors.generator.specification.packed import packed_spec
from xtalpriors.generator.specification.special import special_table
from xtalpriors.generator.specification.symmetry_table import symmetry_table
from xtalpriors.generator.specification.tables import (
    NONE,
    distribution_of,
    element_table,
    quantile_table,
    single_element,
)
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Scalar

__all__ = ["Specification", "specify"]

MOST_ATOMS = 50_000
"""Non-hydrogen atoms in one asymmetric unit: every new atom is tested against all others."""


class Specification(NamedTuple):
    """A strategy made concrete.

    Attributes
    ----------
    spec
        What the kernels read.
    packed
        What those of `filling: packed` read besides; null with another filling.
    group
        The space group, in its setting.
    volume_scale
        Factor on the bundle's volumes (order over `reference_order`, or 1).
    """

    spec: Spec
    packed: PackedSpec | None
    group: SpaceGroup
    volume_scale: float


def _table(
    bundle: PriorBundle, name: str, part: str | None, form: str | None, high: float | None = None
) -> F64:
    prior = bundle.require(name)
    distribution: Scalar = distribution_of(
        bundle,
        name if part is None else f"{name}.{part}",
        prior if part is None else getattr(prior, part),
        form,
    )
    try:
        return quantile_table(distribution, None, high)
    except ValueError as error:
        raise UsageError(
            f"the limit {high} leaves nothing of the prior {name!r} of {bundle.called}: {error}."
        ) from error


def _content_spec(bundle: PriorBundle, config: GeneratorConfig, special: SpecialTable) -> ContentSpec:
    codes = {
        "random": RANDOM,
        "molecules": MOLECULES,
        "equal-atoms": EQUAL_ATOMS,
        "fitted": FITTED,
        "packed": PACKED,
    }
    molecular, equal = config.filling == "molecules", config.filling == "equal-atoms"
    packed = config.filling == "packed"
    packing = _table(bundle, "packing", None, config.form)
    if packing[0] <= 0:
        raise XtalpriorsError(
            f"the packing prior of {bundle.called} reaches {packing[0]:g} Å³ per atom; it must be positive. "
            "Use another bundle."
        )
    hydrogen_radius = covalent_radius_angstrom("H")
    return ContentSpec(
        filling=codes[config.filling],
        min_distance=config.min_distance_angstrom,
        tries=config.packed_tries if packed else config.molecule_tries if molecular else config.random_tries,
        elements_tried=config.elements_tried,
        special_tries=config.special_tries,
        redraws=config.redraws,
        min_placed_share=config.min_placed_share,
        bond=config.bond_window,
        gap=config.gap_window,
        u_min=config.u_iso_min_angstrom2,
        packing=packing,
        hydrogen=NONE
        if equal or packed
        else _table(bundle, "hydrogen", None, config.form, config.hydrogen_fraction_max),
        u_mean=_table(bundle, "displacement", "mean", config.form),
        u_deviation=_table(bundle, "displacement", "deviation", config.form),
        with_special=special.freedom.size > 0,
        hydrogen_radius=float(hydrogen_radius or 0.0),
    )


def _elements(
    bundle: PriorBundle, config: GeneratorConfig, special: SpecialTable
) -> tuple[ElementTable, ElementTable]:
    """Tables of the general and of the special positions."""
    if config.filling in ("equal-atoms", "fitted"):  # `fitted` reads the elements of `contents` instead
        table = single_element(config.equal_atoms_element, "equal_atoms_element")
        return table, table
    prior, with_radii = bundle.require("elements"), config.filling == "molecules"
    what = f"elements of general positions of {bundle.called}"
    general = element_table(prior.general.per_site, what, with_radii=with_radii)
    if special.most == 0:
        return general, general
    if prior.special is None:
        raise XtalpriorsError(
            f"{bundle.called} has no elements of special positions, and the strategy occupies some. "
            "Set special_positions=false, or use another bundle."
        )
    what = f"elements of special positions of {bundle.called}"
    return general, element_table(prior.special.per_site, what, with_radii=with_radii)


def _check_not_empty(spec: CellSpec, content: ContentSpec, special: SpecialTable, group: SpaceGroup) -> None:
    """Fail at once where eq. 18 gives no atom in any cell and no special position is ever occupied."""
    largest = float(spec.volume[-1]) if spec.from_volume else spec.factor * spec.length_max**3
    needed = float(content.packing[0]) * group.order
    if largest >= needed or special.most > 0:
        return
    raise UsageError(
        f"every cell would be empty: the largest volume is {largest:.5g} Å³, and one atom on a general "
        f"position of {group.hm or group.number} ({counted(group.order, 'operator')}) needs {needed:.5g} "
        f"Å³ at {content.packing[0]:g} Å³ per atom (eq. 18). Raise length_max_angstrom to at least "
        f"{(needed / spec.factor) ** (1 / 3):.3g}, leave the lengths to the bundle with scale_with_order, "
        "or occupy special positions."
    )


def _check_not_huge(spec: CellSpec, content: ContentSpec, group: SpaceGroup) -> None:
    """Fail at once where one structure could have more atoms than memory and time allow."""
    largest = float(spec.volume[-1]) if spec.from_volume else spec.factor * spec.length_max**3
    atoms = largest / (float(content.packing[0]) * group.order)
    if atoms <= MOST_ATOMS:
        return
    allowed = MOST_ATOMS * float(content.packing[0]) * group.order
    length = (allowed / spec.factor) ** (1 / 3)
    raise UsageError(
        f"one structure could have {atoms:.3g} atoms in its asymmetric unit: V up to {largest:.5g} Å³, "
        f"{counted(group.order, 'operator')} and {content.packing[0]:g} Å³ per atom (eq. 18). The "
        f"generator goes up to {MOST_ATOMS:,}: lower length_max_angstrom (to {length:.4g} Å or less) or the "
        "volumes."
    )


def specify(bundle: PriorBundle, config: GeneratorConfig) -> Specification:
    """Check a bundle and a configuration against each other, and make the kernels' tables.

    Raises
    ------
    UsageError
        A space group that does not exist, bounds that no cell can meet, an element without radius.
    XtalpriorsError
        The bundle has no prior that the strategy needs; the message names it.
    """
    group = space_group_of(config.space_group)
    metric = metric_constraints(group)
    scale = max(1.0, group.order / config.reference_order) if config.scale_with_order else 1.0
    special = special_table(bundle, group, config)
    if config.cell == "fitted":
        cell = fitted_cell_spec(bundle, config, group, metric)
    else:
        cell = cell_spec(bundle, config, metric, scale)
    content = _content_spec(bundle, config, special)
    general, on_special = _elements(bundle, config, special)
    _check_not_empty(cell, content, special, group)
    _check_not_huge(cell, content, group)
    neighbours = no_neighbours()
    if config.filling == "fitted":
        if cell.joint.packing < 0:
            remedy = "set cell=fitted too"
            if config.cell == "fitted":
                remedy = f"{bundle.called} has none for these cells. Use one whose structures have atoms"
            raise UsageError(
                f"filling=fitted takes the volume per atom that is drawn with the cell: {remedy}."
            )
        neighbours = neighbour_tables(bundle, config)
    spec = Spec(cell, content, symmetry_table(group), special, general, on_special, neighbours)
    packed = packed_spec(bundle, config, group, metric) if config.filling == "packed" else None
    return Specification(spec, packed, group, scale)
