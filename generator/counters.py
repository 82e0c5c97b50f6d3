"""Names of what is counted for each structure, and of the general position."""

from __future__ import annotations

from typing import Final

__all__ = ["COUNTERS", "GENERAL"]

COUNTERS: Final = (
    "n_target",
    "n_hydrogen_target",
    "dropped",
    "dropped_hydrogen",
    "dropped_special",
    "element_changes",
    "special_contacts",
    "redraws",
)
"""Per structure: non-hydrogen atoms and hydrogens wanted on general positions (eqs 18, 19); non-hydrogen
atoms, hydrogens and special positions dropped; elements changed after all tries; special atoms that break the
molecule rule among themselves (they are exempt); empty or sparse structures drawn again before this one."""

GENERAL: Final = 255
"""Value of `site` for an atom on a general position."""

N_TARGET, N_HYDROGEN, DROPPED, DROPPED_HYDROGEN, DROPPED_SPECIAL, CHANGES, CONTACTS, REDRAWS = range(8)
"""Columns of the counters."""
