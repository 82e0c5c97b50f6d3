"""Phase seeding: a few approximate phases, of the truth or of a network, from which all others are found.

Carrozzini et al. 2025 (doi 10.1107/S2053273325002797): if phases of a small part of the strong reflections
are known to within a few bins, density modification finds the rest. `seeds` chooses and bins such phases, and
`seeded_flipping` extends them. `study` measures on artificial (`crystals`) and real crystals
(`real_crystals`) how many seeds, of how many values, are enough: `settings` says what is tried, `rows` holds
what came out, and `shares` sums it up. `network_seeds` takes the seeds from a trained network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.model.seeding.rows import SEEDING as SEEDING
    from xtalpriors.model.seeding.rows import read_rows as read_rows
    from xtalpriors.model.seeding.settings import StudySettings as StudySettings
    from xtalpriors.model.seeding.settings import study_settings as study_settings
    from xtalpriors.model.seeding.shares import solved_shares as solved_shares
    from xtalpriors.model.seeding.study import run_study as run_study

__getattr__, __all__ = offer(
    __name__,
    {
        "rows": ["SEEDING", "read_rows"],
        "settings": ["StudySettings", "study_settings"],
        "shares": ["solved_shares"],
        "study": ["run_study"],
    },
)
