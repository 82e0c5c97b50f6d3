"""Kernels that decide what a cell holds, for the filling `fitted`.

The orbits of special positions, the set of elements, and how many sites each of them has.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from xtalpriors.generator.kernels.arithmetic import chosen
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.fill import choose
from xtalpriors.generator.kernels.random import uniform
from xtalpriors.generator.kernels.special import orbits_wanted, share_of_position

__all__ = ["MOST_LOOSE", "choose_element", "set_and_counts", "wanted_orbits"]

COUNT_TRIES = 40
"""Numbers of sites drawn before the atoms are drawn by their shares."""
COUNT_TOLERANCE = 0.12
"""Part by which the number of atoms may differ from that of the volume per atom drawn with the cell."""
MOST_LOOSE = 1.5
"""Factor by which the volume per atom of a structure differs from that of its set of elements, at most."""
UNLISTED = 0.25
"""Probability to take numbers of sites that are not listed, about that of listed ones to fit the cell."""


@kernel()
def choose_element(table, row, neighbours, stream):
    """An element of a set by its share, as its row in the tables of neighbours."""
    u = uniform(stream)
    k = 0
    while k < neighbours.set_size[row] - 1 and u >= table[row, k]:
        k += 1
    return k


@kernel()
def _orbits(special, pattern, p, left, stream):
    """How many orbits of position p are occupied, and how many the pattern leaves for the rest of its set."""
    if pattern < 0:
        return orbits_wanted(special.cumulative, p, stream), 0
    if p == 0 or special.set_number[p] != special.set_number[p - 1]:
        left = special.pattern_orbits[pattern, special.set_number[p]]
    here = share_of_position(left, special.letters_left[p], special.freedom[p] == 0, stream)
    return here, left - here


@kernel()
def wanted_orbits(special, wanted, stream):
    """Write how many orbits of each special position are occupied; returns how many in all."""
    pattern, left, total = -1, 0, 0
    if special.patterns.size > 0:
        pattern = choose(special.patterns, stream)
    for p in range(special.freedom.size):
        here, left = _orbits(special, pattern, p, left, stream)
        wanted[p] = here
        total += here
    return total


@kernel()
def _listed_counts(neighbours, row, stream):
    """Numbers of sites of a set, as their row; -1 for those that are not listed."""
    u = uniform(stream)
    for k in range(neighbours.counts_first[row], neighbours.counts_first[row + 1]):
        if u < neighbours.counts_cumulative[k]:
            return k
    return -1


@kernel()
def set_and_counts(neighbours, share, n_special, volume, volume_per_atom, points, order, n_most, stream):
    """A set of elements near this share, numbers of sites that fit the cell (-1: by the shares), and the
    number of atoms that the cell holds of this set.

    The further it looks, the further from the share that was drawn with the cell. The volume per atom was
    drawn with it too; other sets have theirs, larger or smaller by the same factor. `points` are the atoms on
    special positions.
    """
    sets = neighbours.set_cumulative[1 if n_special > 0 else 0]
    drawn = chosen(sets, share)
    density = neighbours.set_volume[drawn] / volume_per_atom
    density = min(max(density, 1.0 / MOST_LOOSE), MOST_LOOSE)
    tries = COUNT_TRIES if neighbours.counts_cumulative.size > 0 else 0
    for turn in range(tries):
        at = share + (2.0 * uniform(stream) - 1.0) * turn / COUNT_TRIES
        row = chosen(sets, abs(at) if at < 1.0 else 2.0 - at)
        wanted = density * volume / neighbours.set_volume[row]
        listed = _listed_counts(neighbours, row, stream)
        if listed < 0:
            if uniform(stream) < UNLISTED:
                return row, listed, wanted
            continue
        n = on_special = 0
        for k in range(neighbours.set_size[row]):
            n += neighbours.counts_general[listed, k]
            on_special += neighbours.counts_special[listed, k]
        fits = abs(n * order + points - wanted) <= COUNT_TOLERANCE * wanted
        if fits and on_special == n_special and n <= n_most:
            return row, listed, wanted
    return drawn, -1, density * volume / neighbours.set_volume[drawn]
