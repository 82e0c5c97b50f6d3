"""Verdicts on priors that have parts: what moved counts by how often the generator draws from it."""

from __future__ import annotations

import pytest

from xtalpriors.priors import compare, comparison_text, verdicts
from xtalpriors.priors.bundle import CreatedFrom, PriorBundle, Priors, make_bundle
from xtalpriors.priors.distributions.distribution import Categorical, Counts, Estimate
from xtalpriors.priors.kinds.bonds import Bonds, PairOfElements
from xtalpriors.priors.kinds.contents import Contents, ElementSet
from xtalpriors.priors.kinds.coordination import Coordination, Shell
from xtalpriors.priors.kinds.elements import Elements, ElementShares
from xtalpriors.priors.tell.compare import Move
from xtalpriors.priors.tell.meaning import meaning
from xtalpriors.priors.tell.parts import shares_of_parts
from xtalpriors.priors.tell.verdict import PriorVerdict, sampling

SITES = {"C": 0.9, "O": 0.09, "Br": 0.01}


def known(value: float) -> Estimate:
    """A share that is known to a hundredth."""
    return Estimate(value=value, low=max(0.0, value - 0.01), high=min(1.0, value + 0.01))


def bundle(**priors: object) -> PriorBundle:
    """Priors beside the shares of three elements on general positions."""
    labels = tuple(SITES)
    shares = Categorical(labels=labels, shares=tuple(known(SITES[x]) for x in labels))
    general = ElementShares(n_sites=1000, per_site=shares, share_cno=known(0.99))
    every = {"elements": Elements(convention="", general=general)} | priors
    return make_bundle("made", CreatedFrom(corpus="made"), Priors.model_validate(every))


def shells(**four: float) -> Coordination:
    """Shells of the three elements; of each the share of atoms with one bond, the others having none."""
    elements = {
        name: Shell(
            n_clusters=500, of_kind=False, numbers=Counts(probabilities=(known(1 - x), known(x))), angle=None
        )
        for name, x in ({"C": 0.5, "O": 0.5, "Br": 0.5} | four).items()
    }
    return Coordination(convention="", bond_max=1.25, elements=elements)


def verdict(before: PriorBundle, after: PriorBundle, prior: str) -> PriorVerdict:
    return {v.prior: v for v in verdicts(compare(before, after))}[prior]


def test_an_element_counts_by_its_share_of_the_atoms() -> None:
    """0.3 of the shells of an element are others: with 90 % of the atoms 0.27 of all, with 1 % 0.003."""
    before = bundle(coordination=shells())
    assert verdict(before, before, "coordination").verdict == "within sampling error"
    rare = verdict(before, bundle(coordination=shells(Br=0.8)), "coordination")
    assert rare.verdict == "real" and rare.drawn_otherwise == pytest.approx(0.003)
    assert rare.move is not None and rare.move.name == "coordination.elements.C.numbers", "the commonest"
    assert rare.decisive is not None and rare.decisive.name == "coordination.elements.Br.numbers"
    common = verdict(before, bundle(coordination=shells(C=0.8, Br=0.9)), "coordination")
    assert common.verdict == "large" and common.drawn_otherwise == pytest.approx(0.27 + 0.004)
    assert common.decisive is not None and common.decisive.name == "coordination.elements.C.numbers"
    # two elements that are not enough alone: 0.09 · 0.5 and 0.9 · 0.08
    together = verdict(before, bundle(coordination=shells(C=0.58, O=1.0)), "coordination")
    assert together.verdict == "large" and together.drawn_otherwise == pytest.approx(0.117)
    assert verdict(before, bundle(coordination=shells(C=0.58)), "coordination").verdict == "real"


def test_an_element_is_not_compared_with_its_kind() -> None:
    kind = shells(Br=0.9).model_dump()
    kind["elements"]["Br"]["of_kind"] = True
    found = verdict(bundle(coordination=kind), bundle(coordination=shells()), "coordination")
    assert found.verdict == "within sampling error"


def contents(**shares: float) -> Contents:
    sets = {
        name: ElementSet(
            elements=(name,), hydrogen=False, kind="inorganic", share=known(share), volume_per_atom=10.0,
            with_special=0.0, general=(1.0,),
        )
        for name, share in shares.items()
    }  # fmt: skip
    return Contents(n=500, n_clusters=500, sets=sets, left_out=round(1 - sum(shares.values()), 9))


def test_sets_of_elements_count_together() -> None:
    """Each set moves by 0.05 or less; 0.12 of the structures have another one, listed or not."""
    before = contents(C=0.4, O=0.3, Br=0.2)
    after = contents(C=0.35, O=0.25, Si=0.05, Br=0.18)
    found = verdict(bundle(contents=before), bundle(contents=after), "contents")
    assert found.verdict == "large" and found.drawn_otherwise == pytest.approx(0.12)
    assert found.move is not None and found.move.name == "contents.sets"
    assert meaning(found.move) == "12.0 % have other elements"


def test_sampling_reaches_no_more_of_shares_than_all_of_them() -> None:
    """Of six structures: three of each of two sets, ± 0.4, and ten sets that one structure may have."""
    few = Contents.model_validate(
        contents(C=0.5, O=0.5).model_dump()
        | {
            "sets": {
                name: one.model_dump() | {"share": {"value": 0.08, "low": 0.0, "high": 0.5}}
                for name, one in contents(**dict.fromkeys("CNOFSPBIHKUVWY", 0.07)).sets.items()
            }
        }
    )
    found = verdict(bundle(contents=few), bundle(contents=few), "contents")
    assert found.move is not None and found.move.name == "contents.sets"
    assert found.move.noise == 1.0 == sampling(found.move, found.needed) and found.needed > 1


def test_a_median_that_sampling_explains_is_not_said_to_have_moved() -> None:
    """The distance is beyond its noise, and the interval of the shift contains zero."""
    move = Move(
        name="cell_volume", kind="distribution", unit="Å³", a=1817, b=1863, shift=46, shift_low=-72,
        shift_high=148, change=199, noise=142, exceeds=True,
    )  # fmt: skip
    assert meaning(move) == "other spread, median within sampling error"
    assert meaning(move.model_copy(update={"shift_low": 12.0})) == "3 % larger cells"


def test_pairs_count_by_their_bonds() -> None:
    """Of 100 sites 90 C and 9 O: 180 ends of C–C bonds, 18 bonds C–O, and 45 C–H though H is no site."""

    def pair(first: float, second: float) -> PairOfElements:
        return PairOfElements(n_clusters=50, log_g=(0.0,), coordination=(first, second))

    pairs = {"C & C": pair(2.0, 2.0), "C & O": pair(0.2, 2.0), "C & H": pair(0.5, 1.0)}
    names = ("C", "H", "O", "halogen")
    pooled = {f"{a} & {b}": pair(0.0, 0.0) for i, a in enumerate(names) for b in names[i:]}
    pooled |= pairs | {"C & halogen": pair(0.01, 1.0)}
    bonds = Bonds(
        convention="", ratio_max=2.7, bond_max=1.25, cutoff_angstrom=4.0, pairs=pairs, pooled=pooled,
        kinds={"C": ("C",), "H": ("H",), "O": ("O",), "halogen": ("Br", "Cl")},
    )  # fmt: skip
    shares = shares_of_parts(bundle(bonds=bonds).priors)
    total = 180 + 18 + 45 + 1
    assert shares["bonds.pairs.C & C"] == pytest.approx(180 / total)
    assert shares["bonds.pairs.C & H"] == pytest.approx(45 / total)
    assert shares["bonds.pooled.C & halogen"] == pytest.approx(1 / total), "listed by kind alone"
    assert shares["bonds.pooled.C & C"] == pytest.approx(0.0), "listed by element"
    assert sum(shares.values()) == pytest.approx(1.0)


def test_equal_bundles_are_said_to_be_equal_in_a_sentence() -> None:
    one = bundle(coordination=shells())
    told = comparison_text(compare(one, one))
    assert "are the same" in told and one.priors_digest in told and len(told.splitlines()) == 1
