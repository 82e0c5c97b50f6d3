"""How often the generator draws from each part of a prior: families of crystals, groups, elements, pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from xtalpriors.priors.bundle import Priors
from xtalpriors.priors.kinds.bonds import Bonds, PairOfElements
from xtalpriors.priors.kinds.elements import Elements

__all__ = ["shares_of_parts"]


def shares_of_parts(priors: Priors) -> dict[str, float]:
    """Share of each part in the draws from its prior, by the first three words of the names of its moves.

    A structure has one crystal family, one space group and one temperature, and an atom is of one element: of
    parts of one kind, `cell.families.…` for one, the shares add up to 1. Families, groups and temperatures
    count structures; elements count sites other than hydrogen, and pairs of elements count bonds.
    """
    found: dict[str, float] = {}
    if priors.cell is not None:
        families = priors.cell.families.items()
        found |= _shares("cell.families", {name: one.variables["longest"].n or 1 for name, one in families})
    if priors.special_positions is not None:
        groups = priors.special_positions.groups.items()
        found |= _shares("special_positions.groups", {str(n): one.n_structures or 1 for n, one in groups})
    if priors.displacement is not None:
        bands, elements = priors.displacement.by_temperature, priors.displacement.by_element
        found |= _shares("displacement.by_temperature", {name: one.n or 1 for name, one in bands.items()})
        found |= _shares("displacement.by_element", {name: one.n for name, one in elements.items()})
    sites = _sites(priors.elements)
    if priors.coordination is not None:
        of_elements = {name: sites.get(name, 0.0) for name in priors.coordination.elements}
        found |= _shares("coordination.elements", of_elements)
    return found if priors.bonds is None else found | _of_pairs(priors.bonds, sites)


def _shares(kind: str, amounts: Mapping[str, float]) -> dict[str, float]:
    """Each amount over their sum, by the name of the part."""
    total = sum(amounts.values())
    return {f"{kind}.{name}": amount / total if total else 0.0 for name, amount in amounts.items()}


def _sites(elements: Elements | None) -> dict[str, float]:
    """Sites of each element, on general and special positions together."""
    found: dict[str, float] = defaultdict(float)
    for side in () if elements is None else (elements.general, elements.special):
        if side is not None:
            for element, share in zip(side.per_site.labels, side.per_site.shares, strict=True):
                found[element] += (side.n_sites or 1) * share.value
    return found


def _of_pairs(bonds: Bonds, sites: Mapping[str, float]) -> dict[str, float]:
    """Shares of the bonds; two kinds of elements stand for the pairs that are not listed by element."""

    def number(first: float, second: float, pair: PairOfElements) -> float:
        """Bonds between two elements with so many sites. Hydrogen has none: its partner counts them."""
        return max(first * pair.coordination[0], second * pair.coordination[1])

    listed: dict[str, float] = {}
    pooled: dict[str, float] = {}
    for name, pair in bonds.pooled.items():
        first, second = (sum(sites.get(x, 0.0) for x in bonds.kinds[kind]) for kind in name.split(" & "))
        pooled[name] = number(first, second, pair)
    for name, pair in bonds.pairs.items():
        elements = name.split(" & ")
        first, second = (sites.get(x, 0.0) for x in elements)
        listed[name] = number(first, second, pair)
        kinds = " & ".join(sorted(str(bonds.kind(x)) for x in elements))
        pooled[kinds] = max(0.0, pooled.get(kinds, 0.0) - listed[name])
    together = {f"pairs.{k}": x for k, x in listed.items()} | {f"pooled.{k}": x for k, x in pooled.items()}
    return _shares("bonds", together)
