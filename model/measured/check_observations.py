"""Whether measured reflections can be what their reader takes them for; doubts are errors unless accepted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, get_args

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.measured.absences import absent_reflections
from xtalpriors.model.measured.intensity_statistics import intensity_statistics
from xtalpriors.model.measured.read_reflections import Observations

__all__ = ["DOUBTS", "Doubt", "check_observations"]

Doubt = Literal["absences", "distribution"]
"""`absences`: the group forbids reflections that are strong; `distribution`: values read as |F| look like
|F|², or the other way round."""
DOUBTS: Final[tuple[Doubt, ...]] = get_args(Doubt)


def check_observations(
    observations: Observations, group: SpaceGroup, accept: Collection[Doubt] = ()
) -> tuple[str, ...]:
    """Test the group by its systematic absences, and |F| against |F|² by the distribution of the values.

    Parameters
    ----------
    observations
        As measured, not merged.
    group
        The crystal's space group in the setting of the indices.
    accept
        Doubts that are noted and no error.

    Returns
    -------
    tuple of str
        What was found, with its numbers, to be shown to the user.

    Raises
    ------
    UsageError
        A doubt that is not accepted.
    """
    found = absent_reflections(observations.hkl, observations.intensity, observations.sigma, group)
    name = group.hm or f"no. {group.number}"
    if found.contradict and "absences" not in accept:
        strongest = ", ".join(" ".join(map(str, h)) for h in found.strongest)
        raise UsageError(
            f"{observations.source}: {name} forbids reflections that were measured: {found} (strongest: "
            f"{strongest}). In the right group they are near zero. Give the group that the crystal has, in "
            "the setting of the indices (--space-group), or phase without them: --accept absences."
        )
    statistics = intensity_statistics(observations.hkl, observations.intensity, group, observations.read_as)
    if statistics.contradict and "distribution" not in accept:
        options = "--hkl f2 or hklf4" if observations.read_as == "|F|" else "--hkl f or hklf3"
        raise UsageError(
            f"{observations.source}: {statistics}. For a list say which it holds ({options} for "
            f"{statistics.verdict}); to phase the values as they were read: --accept distribution."
        )
    left_out = f"{found} in {name}, left out" if found.n else f"no systematic absence of {name} was measured"
    return left_out, str(statistics)
