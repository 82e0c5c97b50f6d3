"""Special positions that are occupied together: the bundle's patterns instead of independent draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from xtalpriors.crystal.wyckoff.table import wyckoff_positions
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.counters import GENERAL
from xtalpriors.generator.generate import generate
from xtalpriors.generator.reference.reference import Reference
from xtalpriors.generator.specification.specify import specify
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.priors.bundle import PriorBundle, make_bundle, published_bundle
from xtalpriors.priors.distributions.distribution import Categorical, Counts
from xtalpriors.priors.distributions.estimate import fixed
from xtalpriors.priors.kinds.special_positions import SpecialPositionsOfGroup, WyckoffSet


def _bundle(number: int, sets: dict[str, tuple[int, int]], patterns: dict[str, float]) -> PriorBundle:
    """The published bundle with one group: its sets (letters: multiplicity, freedom) and patterns."""
    published = published_bundle()
    group = SpecialPositionsOfGroup(
        number=number,
        wyckoff_sets=tuple(
            WyckoffSet(
                letters=tuple(letters), multiplicity=m, degrees_of_freedom=freedom, n_positions=len(letters),
                probability=None if freedom else fixed(0.1),
                count=Counts(probabilities=(fixed(0.8), fixed(0.2))) if freedom else None,
            )
            for letters, (m, freedom) in sets.items()
        ),
        number_occupied=Counts(probabilities=(fixed(1.0),)),
        joint=Categorical(labels=tuple(patterns), shares=tuple(fixed(p) for p in patterns.values())),
    )  # fmt: skip
    special = published.priors.special_positions.model_copy(update={"groups": {number: group}})
    return make_bundle(
        "patterns", published.created_from, published.priors.model_copy(update={"special_positions": special})
    )


def _by_letter(batch: StructureBatch) -> np.ndarray:
    """(n, positions) orbits on each position."""
    counts = np.zeros((len(batch), len(wyckoff_positions(batch.group))), int)
    special = batch.site != GENERAL
    np.add.at(counts, (batch.structure_of_atom[special], batch.site[special]), 1)
    return counts


P21C = _bundle(14, {"abcd": (2, 0)}, {"none": 0.686, "abcd×2": 0.172, "abcd×1": 0.142})
# C2/m: four centres 2/m in two sets, 4e and 4f centres, two axes, a mirror
C2M_SETS = {"abcd": (2, 0), "ef": (4, 0), "gh": (4, 1), "i": (4, 2)}
C2M = _bundle(12, C2M_SETS, {"none": 0.3, "abcd×3 ef×1": 0.2, "gh×2 i×3": 0.3, "i×1": 0.2})


def test_patterns_have_the_shares_of_the_bundle_and_every_letter_its_turn() -> None:
    """Two occupied centres commoner than one, as in AMCSD: no independent draw can give that."""
    batch = generate(P21C, configure(special_pattern="joint", filling="molecules"), 1, 0, 60_000)
    counts = _by_letter(batch)[:, :4]
    assert counts.max() == 1
    occupied = np.bincount(counts.sum(1), minlength=3)
    assert len(occupied) == 3
    assert stats.chisquare(occupied, np.array([0.686, 0.142, 0.172]) * len(batch)).pvalue > 1e-3
    two = counts[counts.sum(1) == 2] @ [1, 2, 4, 8]
    pairs = [3, 5, 6, 9, 10, 12]
    assert set(two) == set(pairs)
    assert stats.chisquare([np.sum(two == p) for p in pairs]).pvalue > 1e-3
    assert batch.totals["dropped_special"] == 0
    independent = generate(P21C, configure(), 1, 0, 20_000)
    both = np.bincount(independent.n_special, minlength=3)
    assert (
        stats.chisquare(both[:3], stats.binom(4, 0.1).pmf([0, 1, 2]) / 0.9963 * both[:3].sum()).pvalue > 1e-3
    )


def test_sets_of_points_and_sets_with_freedom_keep_their_pattern() -> None:
    config = configure(special_pattern="joint", space_group="C 1 2/m 1", min_distance_angstrom=0.01)
    batch = generate(C2M, config, 2, 0, 4000)
    counts, letters = _by_letter(batch), [p.letter for p in wyckoff_positions(batch.group)]
    by_set = {s: counts[:, [letters.index(x) for x in s]] for s in C2M_SETS}
    complete = batch.counter("dropped_special") + batch.counter("redraws") == 0
    assert complete.mean() > 0.95
    seen = np.column_stack([c.sum(1) for c in by_set.values()])[complete]
    wanted = {(0, 0, 0, 0): 0.3, (3, 1, 0, 0): 0.2, (0, 0, 2, 3): 0.3, (0, 0, 0, 1): 0.2}
    assert {tuple(row) for row in seen.tolist()} == set(wanted)
    for pattern, share in wanted.items():
        assert (seen == pattern).all(1).mean() == pytest.approx(share, abs=0.03)
    assert by_set["abcd"].max() == 1
    axes = by_set["gh"][by_set["gh"].sum(1) == 2][:, 0]  # two orbits on two axes: 1 : 2 : 1
    assert stats.chisquare(np.bincount(axes), np.array([0.25, 0.5, 0.25]) * len(axes)).pvalue > 1e-3


def test_the_reference_draws_the_same_patterns() -> None:
    config = configure(special_pattern="joint", filling="molecules")
    reference, rng = Reference(P21C, config), np.random.default_rng(4)
    wanted = np.array([reference._orbits_wanted(rng) for _ in range(20_000)])
    assert wanted.max() == 1
    occupied = np.bincount(wanted.sum(1))
    assert stats.chisquare(occupied, np.array([0.686, 0.142, 0.172]) * len(wanted)).pvalue > 1e-3
    assert stats.chisquare(wanted.sum(0)).pvalue > 1e-3
    mixed = Reference(C2M, configure(special_pattern="joint", space_group="C 1 2/m 1"))
    sums = {sum(mixed._orbits_wanted(rng)) for _ in range(200)}
    assert sums == {0, 4, 5, 1}


def test_a_bundle_without_patterns_says_so() -> None:
    with pytest.raises(XtalpriorsError, match=r"special_pattern=joint.*14 has no joint.*independent"):
        specify(published_bundle(), configure(special_pattern="joint"))
    with pytest.raises(XtalpriorsError, match=r"space group 2.*independent"):
        specify(P21C, configure(special_pattern="joint", space_group="P -1"))
    wrong = _bundle(14, {"abcd": (2, 0)}, {"none": 0.5, "abcd×5": 0.5})
    with pytest.raises(XtalpriorsError, match="more points than there are"):
        specify(wrong, configure(special_pattern="joint"))


def test_the_first_atom_of_a_molecule_stands_anywhere_special_atoms_or_not() -> None:
    """Step 2 of section 3.5: "After populating special positions, place one atom Z in a general position with
    random coordinates": its distance to a special atom is no bond length, but for chance."""
    bundle = _bundle(14, {"abcd": (2, 0)}, {"abcd×1": 1.0})
    for structures in (
        list(generate(bundle, configure(special_pattern="joint"), 1, 0, 400)),
        _of_reference(bundle, 60),
    ):
        near = 0
        for structure in structures:
            first = int(np.argmax(structure.site == GENERAL))
            difference = structure.fract[first] - structure.fract[0]
            difference = difference - np.round(difference)
            cartesian = structure.cell.orthogonalization @ difference
            near += bool(np.linalg.norm(cartesian) < 2.0)
        assert near / len(structures) < 0.25  # all of them, if it were bonded


def _of_reference(bundle: PriorBundle, n: int) -> list:  # type: ignore[type-arg]
    reference, rng = Reference(bundle, configure(special_pattern="joint")), np.random.default_rng(1)
    return [reference.structure(rng) for _ in range(n)]
