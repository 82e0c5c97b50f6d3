"""What a study of phase seeding tries."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, ValidationError, field_validator

from xtalpriors.errors import UsageError
from xtalpriors.frozen_model import Frozen, explain
from xtalpriors.generator.config import space_group_of

__all__ = ["EXACT", "SPACE_GROUPS", "StudySettings", "study_settings"]

EXACT: Final = 0
"""Number of bins that stands for exact phases."""
SPACE_GROUPS: Final = ("P 1 21/c 1", "P 21 21 21", "P 1 21 1", "P 1", "P -1")

_Fraction = Annotated[float, Field(gt=0, le=1)]
_Volume = Annotated[float, Field(gt=0)]
_Resolution = Annotated[float, Field(ge=0.6, le=3.0)]
_Width = Annotated[float, Field(ge=0, le=5)]


class StudySettings(Frozen):
    """Every combination of group, volume, resolution and overlap is tried, with every set of seeds."""

    space_groups: tuple[str, ...] = Field(default=SPACE_GROUPS, min_length=1)
    """In any setting."""
    volumes_angstrom3: tuple[_Volume, ...] = Field(default=(500.0, 1000.0, 2000.0, 4000.0), min_length=1)
    """Of the cells."""
    d_min_angstrom: tuple[_Resolution, ...] = Field(default=(1.0, 1.2, 1.5), min_length=1)
    """Resolutions."""
    fractions: tuple[_Fraction, ...] = (0.05, 0.1, 0.2, 0.3)
    """Of the strongest half of the reflections, whose phases are seeds."""
    bins: tuple[int, ...] = (EXACT, 4, 3, 2)
    """Values that the phase of a seed can have; 0: exact."""
    structures: int = Field(default=16, ge=1)
    """Of each group and volume."""
    overlap_degree: tuple[_Width, ...] = (0.0,)
    """Width in 2θ within which reflections overlap, as in a powder; 0: a single crystal."""
    wavelength_angstrom: float = Field(default=1.5406, gt=0.1, lt=10)
    """For 2θ."""
    noise: float = Field(default=0.0, ge=0, le=1)
    """Standard deviation of a peak of mean intensity, relative to it."""
    seed: int = Field(default=0, ge=0)
    """Of the structures, of the choice of seeds and of the noise."""

    @field_validator("bins")
    @classmethod
    def _enough(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        wrong = [b for b in value if b != EXACT and b < 2]
        if wrong:
            raise ValueError(
                f"phases are binned to at least 2 values (or exact), and {wrong[0]} says nothing"
            )
        return value

    @field_validator("space_groups")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in value:
            space_group_of(symbol)
        return value


def study_settings(**options: Any) -> StudySettings:
    """Settings from options; what is wrong is said in a sentence.

    Raises
    ------
    UsageError
        An option is out of range: a fraction of seeds that is 0 or above 1, fewer than two bins, a space
        group that does not exist, a wavelength that cannot reach the resolution of powder-like data.
    """
    try:
        settings = StudySettings.model_validate(options)
    except ValidationError as error:
        raise UsageError(explain(error, StudySettings)) from error
    finest = min(settings.d_min_angstrom)
    if max(settings.overlap_degree) > 0 and settings.wavelength_angstrom > 2.0 * finest:
        raise UsageError(
            f"With a wavelength of {settings.wavelength_angstrom:g} Å no reflection is measured beyond "
            f"{settings.wavelength_angstrom / 2:.3g} Å, and the study goes to {finest:g} Å. Give a shorter "
            "wavelength, or a larger d_min."
        )
    return settings
