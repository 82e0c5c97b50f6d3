"""Random molecules of a given size: skeleton, rings, multiple bonds, heteroatoms, and the rules of GDB-13."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from xtalpriors.generator.molecules.rules import broken_rule

__all__ = ["random_smiles"]

_TRIES: Final = 400
"""Graphs that are drawn before a size is given up; about one in ten keeps all rules."""
_RING_SIZES: Final = {3: 1, 4: 1, 5: 5, 6: 8, 7: 1}
_HETEROATOMS: Final = (("N", 3, 0.16), ("O", 2, 0.17), ("S", 2, 0.03), ("Cl", 1, 0.04))
"""Element, bonds that it can have, and its share where it can stand."""
_CARBONYL: Final = 0.7

_Bonds = dict[tuple[int, int], int]


def random_smiles(n_heavy: int, random: Random) -> str | None:
    """A molecule of `n_heavy` non-hydrogen atoms that keeps the rules, as canonical SMILES.

    The same random state gives the same molecule. None: none was found within the tries.
    """
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    for _ in range(_TRIES):
        bonds = _skeleton(n_heavy, random)
        rings = _close_rings(bonds, n_heavy, random)
        _unsaturate(bonds, rings, n_heavy, random)
        molecule = _molecule(bonds, _elements(bonds, n_heavy, random))
        if molecule is not None and broken_rule(molecule) is None:
            return str(Chem.MolToSmiles(molecule))
    return None


def _degree(bonds: _Bonds, atom: int) -> int:
    """Bonds of an atom, double ones counted twice."""
    return sum(order for pair, order in bonds.items() if atom in pair)


def _skeleton(n: int, random: Random) -> _Bonds:
    """A random tree; no atom has more than four neighbours, and late atoms are preferred (chains)."""
    bonds: _Bonds = {}
    for atom in range(1, n):
        open_atoms = [k for k in range(atom) if _degree(bonds, k) < (4 if random.random() < 0.1 else 3)]
        others = open_atoms or [k for k in range(atom) if _degree(bonds, k) < 4]
        partner = others[-1] if random.random() < 0.55 else random.choice(others)
        bonds[partner, atom] = 1
    return bonds


def _path(bonds: _Bonds, start: int, end: int) -> list[int]:
    """Atoms of a shortest way from one atom to another."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == end:
            return way
        for a, b in bonds:
            step = b if a == way[-1] else a if b == way[-1] else None
            if step is not None and step not in seen:
                seen.add(step)
                ways.append([*way, step])
    return []


def _close_rings(bonds: _Bonds, n: int, random: Random) -> list[list[int]]:
    """Close up to two rings of three to seven atoms; returns their atoms in order."""
    rings = []
    for _ in range(random.choices((0, 1, 2), (2, 5, 3))[0]):
        size = random.choices(list(_RING_SIZES), list(_RING_SIZES.values()))[0]
        pairs = [
            (a, b)
            for b in range(n)
            for a in range(b)
            if (a, b) not in bonds and _degree(bonds, a) < 4 and _degree(bonds, b) < 4
        ]
        random.shuffle(pairs)
        for a, b in pairs:
            way = _path(bonds, a, b)
            if len(way) == size:
                bonds[a, b] = 1
                rings.append(way)
                break
    return rings


def _unsaturate(bonds: _Bonds, rings: list[list[int]], n: int, random: Random) -> None:
    """Double bonds in every other place of half the rings of five and six, and some elsewhere."""
    for ring in rings:
        if len(ring) in (5, 6) and random.random() < 0.6:
            for k in range(0, len(ring) - 1, 2):
                _raise_order(bonds, ring[k], ring[k + 1])
    for a, b in list(bonds):
        if random.random() < 0.12:
            _raise_order(bonds, a, b)
            if random.random() < 0.15:
                _raise_order(bonds, a, b)


def _raise_order(bonds: _Bonds, a: int, b: int) -> None:
    pair = (a, b) if (a, b) in bonds else (b, a)
    if _degree(bonds, a) < 4 and _degree(bonds, b) < 4:
        bonds[pair] += 1


def _elements(bonds: _Bonds, n: int, random: Random) -> list[str]:
    """Carbon, and in places with few enough bonds now and then another element; mostly oxygen at the end of a
    double bond."""
    elements = []
    for atom in range(n):
        degree, u, chosen = _degree(bonds, atom), random.random(), "C"
        if degree == 2 and sum(atom in pair for pair in bonds) == 1 and random.random() < _CARBONYL:
            elements.append("O")
            continue
        for symbol, valence, share in _HETEROATOMS:
            if degree <= valence and u < share:
                chosen = symbol
                break
            u -= share
        elements.append(chosen)
    return elements


def _molecule(bonds: _Bonds, elements: list[str]) -> Any:
    """An RDKit molecule with its rings and aromatic bonds found; None where a valence is impossible."""
    from rdkit import Chem

    orders = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
    graph = Chem.RWMol()
    for symbol in elements:
        graph.AddAtom(Chem.Atom(symbol))
    for (a, b), order in bonds.items():
        graph.AddBond(a, b, orders[order])
    if Chem.SanitizeMol(graph, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return None
    return graph.GetMol()
