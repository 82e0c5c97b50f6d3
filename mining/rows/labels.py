"""Labels that can mean two elements (`CO1`, `CL1`, `HG1`): the reading whose atom counts fit the formula.

Files without type symbols, printed in capitals, tell carbon from chlorine by their labels alone. Where the
formula has both elements, the counts of atoms per cell decide: five carbonyl groups are no cobalt. Without
a formula `HG1` is a hydrogen where an atom carries it, and mercury where none is near.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I16, I64
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.mining.rows.composition import N_ELEMENTS, formula_counts, misfit
from xtalpriors.mining.rows.entries import Entries
from xtalpriors.mining.rows.positions import Positions
from xtalpriors.mining.rows.site_table import Sites
from xtalpriors.mining.rows.species import SiteSpecies

__all__ = ["settle_labels"]

_FITS: Final = 0.03
"""Share of the atoms other than hydrogen that may differ from the formula: rounding of occupancies."""
_BETTER: Final = 0.5
"""Where no reading fits (solvent without sites), one with half the misfit of the usual one is taken."""
_MOST_NAMES: Final = 8
_GREEK: Final = "ABGDEZ"
"""Second letters of atoms that are named after Greek ones: Cα, Cβ, Cγ, …"""
_CARRIES_HYDROGEN_ANGSTROM: Final = (0.3, 1.35)
"""A hydrogen is no farther from some atom, and no atom of Hf, Hg or Ho is as near as this."""
_SYMBOL: Final = re.compile(r"[A-Z][a-z]?")
_LETTERS: Final = re.compile(r"\d*([A-Za-z]+)")
_HYDROGEN_ON_OXYGEN: Final = re.compile(r"H[13-9]?O")
_OTHER_HYDROXYL: Final = re.compile(r"OH\(?[13-9]")


def settle_labels(entries: Entries, metric: F64, sites: Sites, positions: Positions) -> SiteSpecies:
    """Species of the sites with the ambiguous labels decided, entry by entry, by atom counts or distances.

    `metric` (n, 3, 3) holds the metric tensors of the entries in Å².
    """
    species = sites.species
    if not species.other.any():
        return species
    species = replace(
        species, number=species.number.copy(), implied_hydrogens=species.implied_hydrogens.copy()
    )
    tokens = entries.batch.site_tokens("label")
    for e in np.flatnonzero(entries.count(species.other > 0)):
        rows = np.arange(entries.start[e], entries.end[e])
        labels = [entries.batch.text(int(t)) or "" for t in tokens[rows]]
        _settle_words(species, rows, labels)
        names: dict[str, list[int]] = {}
        for i, label in zip(rows.tolist(), labels, strict=True):
            if species.other[i] and label not in ("H2O", "OH2"):
                names.setdefault(_name(label), []).append(i)
        hydrogens = {name: of for name, of in names.items() if species.number[of[0]] == 1}
        if hydrogens:
            if _not_hydrogen(entries, int(e), metric[e], sites, species, rows, hydrogens):
                entries.note([int(e)], "label-by-distance")
            names = {name: of for name, of in names.items() if name not in hydrogens}
        if not names:
            continue
        if _by_formula(entries, int(e), sites, positions, species, rows, names):
            entries.note([int(e)], "label-by-composition")
    return species


def _name(label: str) -> str:
    """The first two letters of a label, in capitals."""
    match = _LETTERS.match(label)
    return match[1][:2].upper() if match else ""


def _settle_words(species: SiteSpecies, rows: I64, labels: list[str]) -> None:
    """`H2O` and `OH2` are water, unless their neighbours are numbered alike (`H1O`; `OH1`, `OH3`)."""
    for word, numbered in (("H2O", _HYDROGEN_ON_OXYGEN), ("OH2", _OTHER_HYDROXYL)):
        if word in labels and not any(numbered.match(label) for label in labels):
            for i in rows[[label == word for label in labels]]:
                if species.other[i]:
                    species.number[i], species.implied_hydrogens[i] = ATOMIC_NUMBER["O"], 2


def _not_hydrogen(
    entries: Entries,
    e: int,
    metric: F64,
    sites: Sites,
    species: SiteSpecies,
    rows: I64,
    names: dict[str, list[int]],
) -> bool:
    """Set sites named `HG`, `HO`, … that are no hydrogen, without a formula; whether a distance told.

    Another formula (`_chemical_formula_moiety` …) decides where it has one of the two elements alone.
    """
    other = entries.batch.text(int(entries.batch.block_tokens("other_formula")[entries.block[e]])) or ""
    symbols = set(_SYMBOL.findall(other))
    by_distance = False
    for name, of in names.items():
        told = {"H", name.capitalize()} & symbols
        if len(told) != 1:
            told = {"H"} if _is_carried(entries, e, metric, sites, rows, of) else {name.capitalize()}
            by_distance |= told != {"H"}
        if told != {"H"}:
            species.number[of] = species.other[of]
    return by_distance


def _is_carried(entries: Entries, e: int, metric: F64, sites: Sites, rows: I64, of: list[int]) -> bool:
    """Some of the sites `of` are as near to another atom, or an image of one, as hydrogens are."""
    here = rows[sites.placed[rows]]
    group, x = entries.symmetry[e].group, sites.fract[here]
    images = group.images(x)
    shifts = np.array(list(product((-1.0, 0.0, 1.0), repeat=3)))
    low, high = _CARRIES_HYDROGEN_ANGSTROM
    for atom in sites.fract[[i for i in of if sites.placed[i]]]:
        apart = images - atom
        apart = (apart - np.floor(apart + 0.5))[:, :, None] + shifts
        distance2 = np.einsum("...i,ij,...j->...", apart, metric, apart)
        if ((distance2 > low**2) & (distance2 < high**2)).any():
            return True
    return False


def _by_formula(
    entries: Entries,
    e: int,
    sites: Sites,
    positions: Positions,
    species: SiteSpecies,
    rows: I64,
    names: dict[str, list[int]],
) -> bool:
    """Set the elements of ambiguous sites; whether it was the formula that decided against two letters."""
    text = entries.batch.text(int(entries.batch.block_tokens("formula")[entries.block[e]]))
    formula, known = formula_counts([text])
    two = species.number.copy()
    if not known[0]:
        labels = {_name(entries.batch.text(int(t)) or "") for t in entries.batch.site_tokens("label")[rows]}
        for name, of in names.items():
            if name[1:] in _GREEK and any(name[0] + g in labels and _no_element(name[0] + g) for g in _GREEK):
                species.number[of] = species.other[of]
        return False
    weight = np.nan_to_num(sites.occupancy[rows], nan=1.0).clip(0) * positions.multiplicity[rows]
    weight[~sites.placed[rows]] = 0.0
    z = entries.batch.numbers(entries.batch.block_tokens("formula_units")[entries.block[e : e + 1]])[0]
    best, usual = np.inf, np.inf
    chosen = two[rows]
    for reading in _readings(two, species.other, names):
        counts = np.bincount(reading[rows], weights=weight, minlength=N_ELEMENTS).astype(np.float64)
        wrong = misfit(counts, formula[0], float(z))
        if usual == np.inf:
            usual = best = wrong
        if wrong < (_BETTER * usual if best == usual else best) - 1e-9:
            best, chosen = wrong, reading[rows]
        if best <= _FITS:
            break
    species.number[rows] = chosen
    return bool((chosen != two[rows]).any())


def _no_element(pair: str) -> bool:
    return ATOMIC_NUMBER.get(pair.capitalize(), 999) > ATOMIC_NUMBER["Cf"]


def _readings(two: I16, other: I16, names: dict[str, list[int]]) -> Iterator[I16]:
    """Numbers of all sites: two letters everywhere; each choice by name; one name's first sites alone."""
    groups = list(names.values())[:_MOST_NAMES]
    for choice in sorted(product((False, True), repeat=len(groups)), key=sum):
        numbers = two.copy()
        for of, one in zip(groups, choice, strict=True):
            if one:
                numbers[of] = other[of]
        yield numbers
    if len(groups) == 1:
        for n in range(1, len(groups[0])):
            numbers = two.copy()
            numbers[groups[0][n:]] = other[groups[0][n:]]
            yield numbers
