"""What cannot be generated is refused at once, with the value, the limit and a remedy."""

from __future__ import annotations

import pytest

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import generate
from xtalpriors.priors.bundle import PriorBundle, Priors, make_bundle, published_bundle
from xtalpriors.priors.distributions.distribution import Categorical
from xtalpriors.priors.distributions.estimate import fixed

PUBLISHED = published_bundle()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"space_group": "P 7"}, ["`P 7`", "no space group"]),
        ({"space_group": "231"}, ["231"]),
        (
            {"cell": "volume-uniform", "length_min_angstrom": 4, "length_max_angstrom": 5},
            ["64 to 125", "160", "length_max_angstrom"],
        ),
        (
            {"length_min_angstrom": 90, "length_max_angstrom": 100},
            ["volume-lognormal", "7.29e+05", "Widen"],
        ),
        (
            {
                "space_group": "F m -3 m",
                "length_min_angstrom": 4,
                "length_max_angstrom": 10,
                "special_positions": False,
            },
            ["64 to 1000", "scaled by 48", "scale_with_order"],
        ),
        (
            {"space_group": "F m -3 m", "scale_with_order": False, "special_positions": False},
            ["1000", "192 operators", "1344", "length_max_angstrom"],
        ),
        ({"length_min_angstrom": 12}, ["12", "10", "length_max_angstrom"]),
        (
            {"space_group": "R 3:R", "rhombohedral_angle_degree": (95.0, 110.0)},
            ["rhombohedral_angle_degree", "90"],
        ),
        (
            {"cell": "axes-uniform", "length_max_angstrom": 1e5},
            ["3.57e+13 atoms", "length_max_angstrom (to 111.9", "50,000"],
        ),
        (
            {"cell": "volume-uniform", "volume_min_angstrom3": 2000.0},
            ["2000", "1000", "volume_max_angstrom3"],
        ),
        ({"filling": "equal-atoms", "equal_atoms_element": "Xx"}, ["Xx", "no chemical element"]),
    ],
    ids=lambda x: str(x)[:60],
)
def test_impossible_strategies(options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        generate(PUBLISHED, configure(**options), 1, 0, 1)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"filing": "random"}, ["filing", "did you mean `filling`"]),
        ({"filling": "molecule"}, ["filling", "molecules"]),
        ({"length_min_angstrom": 10, "length_max_angstrom": 4}, ["ascend"]),
        ({"gap_window": (1.0, 1.4)}, ["gap_window"]),
        ({"bond_window": (1.1, 0.9)}, ["bond_window"]),
        ({"rhombohedral_angle_degree": (60.0, 120.0)}, ["120"]),
        ({"random_tries": 0}, ["random_tries"]),
        ({"min_distance_angstrom": float("nan")}, ["min_distance_angstrom"]),
    ],
    ids=lambda x: str(x)[:60],
)
def test_wrong_options(options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        configure(**options)
    for word in words:
        assert word in str(error.value)


def _without(name: str) -> PriorBundle:
    return make_bundle("cut", PUBLISHED.created_from, PUBLISHED.priors.model_copy(update={name: None}))


@pytest.mark.parametrize(
    "name",
    [
        "cell_volume",
        "axis_ratio",
        "monoclinic_angle",
        "elements",
        "special_positions",
        "displacement",
        "packing",
        "hydrogen",
    ],
)
def test_a_missing_prior_is_named(name: str) -> None:
    with pytest.raises(XtalpriorsError, match=name):
        generate(_without(name), configure(), 1, 0, 1)


def test_what_a_strategy_does_not_need_may_be_missing() -> None:
    needed = Priors(packing=PUBLISHED.priors.packing, displacement=PUBLISHED.priors.displacement)
    bundle = make_bundle("small", PUBLISHED.created_from, needed)
    config = configure(
        cell="volume-uniform", volume_min_angstrom3=200, volume_max_angstrom3=300, length_min_angstrom=4,
        length_max_angstrom=10, ratio_max=2.0, beta_max_degree=110, filling="equal-atoms",
    )  # fmt: skip
    assert len(generate(bundle, config, 1, 0, 3)) == 3


def test_an_element_without_radius_cannot_be_bonded_but_may_stand_alone() -> None:
    shares = Categorical(labels=("C", "Cf"), shares=(fixed(0.5), fixed(0.5)))
    elements = PUBLISHED.priors.elements
    general = elements.general.model_copy(update={"per_site": shares})
    changed = elements.model_copy(update={"general": general})
    bundle = make_bundle(
        "heavy", PUBLISHED.created_from, PUBLISHED.priors.model_copy(update={"elements": changed})
    )
    with pytest.raises(UsageError, match="Cf has no covalent radius"):
        generate(bundle, configure(), 1, 0, 1)
    batch = generate(bundle, configure(filling="random"), 1, 0, 20)
    assert {6, 98} <= set(batch.element.tolist())


def test_a_run_that_can_only_be_empty_ends() -> None:
    config = configure(
        space_group="F m -3 m", cell="axes-uniform", length_min_angstrom=11.0, length_max_angstrom=11.1,
        scale_with_order=False, special_positions=False, redraws=3,
    )  # fmt: skip
    with pytest.raises(XtalpriorsError, match=r"4 times in a row: with these volumes eq\. 18"):
        generate(PUBLISHED, config, 1, 0, 1000)
    crowded = configure(filling="random", min_distance_angstrom=5, redraws=3)
    with pytest.raises(XtalpriorsError, match=r"found no room.*min_distance_angstrom"):
        generate(PUBLISHED, crowded, 1, 0, 1000)


def test_negative_ranges_and_seeds() -> None:
    with pytest.raises(UsageError, match="negative"):
        generate(PUBLISHED, configure(), 1, -1, 1)
    with pytest.raises(UsageError, match="negative"):
        generate(PUBLISHED, configure(), -1, 0, 1)
    assert len(generate(PUBLISHED, configure(), 1, 0, 0)) == 0


def test_the_folder_gives_its_main_names_and_no_others() -> None:
    import xtalpriors.generator as generator

    constants = {"CELL_STRATEGIES", "COUNTERS", "FILLINGS"}
    assert constants < set(generator.__all__)
    for name in generator.__all__:
        found = getattr(generator, name)
        assert isinstance(found, tuple) if name in constants else found.__name__ == name
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = generator.nothing_here
