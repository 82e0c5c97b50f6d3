"""What a run wrote and what it dropped, in words."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from xtalpriors.counted import counted

__all__ = ["GenerateReport"]


class GenerateReport(NamedTuple):
    """What `generate_to` did; `str` says it in a few lines.

    Attributes
    ----------
    output
        The file or folder.
    n_structures
        Structures of the range asked for, all of them there now.
    n_resumed
        Of these, found there from an earlier run.
    totals
        Sums of the counters over the structures generated now (`COUNTERS`).
    """

    output: Path
    n_structures: int
    n_resumed: int
    totals: dict[str, int]

    def __str__(self) -> str:
        made, t = self.n_structures - self.n_resumed, self.totals
        resumed = f", of which {self.n_resumed:,} were there already" if self.n_resumed else ""
        lines = [f"{self.output}: {counted(self.n_structures, 'structure')}{resumed}"]
        if made:
            lines += [
                f"  dropped after all tries: {_share(t['dropped'], t['n_target'], 'non-hydrogen atom')} "
                "(the paper, of random filling: rarely), "
                f"{_share(t['dropped_hydrogen'], t['n_hydrogen_target'], 'hydrogen')}, "
                f"{counted(t['dropped_special'], 'special position')}",
                f"  another element tried: {counted(t['element_changes'], 'time')}; special atoms that "
                f"break the molecule rule among themselves: {t['special_contacts']:,}",
                f"  drawn again, empty or sparse: {_share(t['redraws'], made, 'structure')}",
            ]
        return "\n".join(lines)


def _share(n: int, of: int, what: str) -> str:
    """`12 of 3,400 hydrogens (0.35 %)`, or `12 for 3 hydrogens`."""
    if n > of > 0:
        return f"{n:,} for {counted(of, what)}"
    percent = f" ({100 * n / of:.2g} %)" if of else ""
    return f"{n:,} of {counted(of, what)}{percent}"
