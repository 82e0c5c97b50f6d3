"""Bundles for tests: the published one, and one with every optional prior filled in."""

from __future__ import annotations

import numpy as np

from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import generate
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.priors.bundle import PriorBundle, make_bundle, published_bundle
from xtalpriors.priors.distributions.distribution import Empirical, Exponential
from xtalpriors.priors.distributions.estimate import fixed
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.kinds.axis_ratio import AxisRatio
from xtalpriors.priors.kinds.monoclinic_angle import MonoclinicAngle, MonoclinicConvention
from xtalpriors.priors.kinds.triclinic_skew import TriclinicSkew

SKEW_RATE, RATIO_RATE = 6.0, 4.0


def exponential(rate: float, low: float, high: float | None) -> ScalarPrior:
    distribution = Exponential(rate=fixed(rate), low=low, high=high)
    return ScalarPrior(unit="1", convention="made for a test", parametric=distribution)


def full_bundle() -> PriorBundle:
    """The published bundle with exponential ratios and skews and an empirical table of volumes."""
    published = published_bundle()
    priors = published.priors
    shares = np.linspace(0, 1, 33)
    volumes = 100 + 900 * shares**2
    volume = priors.cell_volume.model_copy(
        update={"empirical": Empirical(probabilities=tuple(shares), values=tuple(volumes))}
    )
    skew = exponential(SKEW_RATE, 0.0, float(np.tan(np.radians(35))))
    changed = priors.model_copy(
        update={
            "cell_volume": volume,
            "axis_ratio": AxisRatio(
                ratio_max=1.8,
                length_min_angstrom=4.0,
                length_max_angstrom=10.0,
                middle_over_shortest=exponential(RATIO_RATE, 1.0, 1.8),
                longest_over_middle=exponential(RATIO_RATE, 1.0, 1.8),
            ),
            "monoclinic_angle": MonoclinicAngle(
                declared=MonoclinicConvention(beta_max_degree=125.0, skew=skew)
            ),
            "triclinic_skew": TriclinicSkew(s1=skew, s2=skew, s3=skew),
        }
    )
    return make_bundle("full", published.created_from, changed)


def generate_range(bounds: tuple[int, int]) -> StructureBatch:
    """Structures of a range; here and not in a test, so that a spawned process can import it."""
    return generate(published_bundle(), configure(), 7, *bounds)
