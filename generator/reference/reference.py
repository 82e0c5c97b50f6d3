"""The generator as a scientist would write it from the paper: plain NumPy, one structure at a time.

Melgalvis & Reķis 2026 (doi 10.1107/S2053273325009428), section 3.5; `cells` draws the cells. This is the
oracle that the kernels are tested against, in distribution, and the baseline of `benchmarks/generator.py`. It
shares with them the configuration, the Wyckoff positions and the bundle, but no arithmetic and no tables.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.generator.counters import COUNTERS, GENERAL
from xtalpriors.generator.reference.cells import draw_cell, draw_fitted_cell
from xtalpriors.generator.reference.coordinate import fill_fitted
from xtalpriors.generator.reference.rules import ReferenceRules, reference_rules
from xtalpriors.generator.specification.joint import Joint
from xtalpriors.generator.structures import Structure
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["Reference", "number_of_atoms", "number_of_hydrogens"]


def number_of_atoms(volume: float, v_atom: float, order: int) -> int:
    """N′ = ⌊V/(V_atom·n)⌋ (eq. 18): non-hydrogen atoms on general positions of the asymmetric unit."""
    return math.floor(volume / (v_atom * order))


def number_of_hydrogens(n_atoms: int, x_h: float) -> int:
    """N_H = ⌊N′·x_H/(1 − x_H)⌋ (eq. 19)."""
    return math.floor(n_atoms * x_h / (1 - x_h))


class _Crystal:
    """Atoms placed so far, with every symmetry image, in one cell."""

    def __init__(self, cell: UnitCell, rules: ReferenceRules) -> None:
        self.rules = rules
        self.matrix = cell.orthogonalization
        self.inverse: F64 = np.asarray(np.linalg.inv(self.matrix), float)
        self.reciprocal = np.linalg.norm(self.inverse, axis=1)  # |a*|, |b*|, |c*|
        self.images = np.empty((0, 3))
        self.image_radii = np.empty(0)
        self.fract: list[F64] = []
        self.symbols: list[str] = []
        self.sites: list[tuple[int, int]] = []  # number of the Wyckoff position, multiplicity

    def orbit(self, point: F64) -> F64:
        """Images of a point under every operator, pure translations first."""
        return self.rules.rotations @ point + self.rules.translations

    def distances(self, point: F64, images: F64, cutoff: float) -> F64:
        """Distances (k, m) in Å to the m images in the cell and its neighbours, up to `cutoff` at least."""
        # 26 neighbours, more in a small cell
        reach = np.maximum(np.ceil(cutoff * self.reciprocal), 1).astype(int)
        difference = images % 1.0 - point % 1.0
        vectors = (difference + _neighbours(*reach.tolist())[:, None]) @ self.matrix.T
        return np.asarray(np.sqrt((vectors * vectors).sum(axis=2)))

    def is_too_close(self, point: F64, others: F64) -> bool:
        """Step 3 of random filling: any distance below the minimum."""
        limit = self.rules.config.min_distance_angstrom
        return bool((self.distances(point, others, limit) < limit).any())

    def breaks_molecule_rule(self, point: F64, radius: float, others: F64, radii: F64) -> bool:
        """Step 6: d ≤ 0.9·R_Σ, or 1.1·R_Σ ≤ d ≤ 1.4·R_Σ, for any image of any atom."""
        if not len(others):
            return False
        contact, (gap_low, gap_high) = self.rules.config.bond_window[0], self.rules.config.gap_window
        ratio = self.distances(point, others, gap_high * (radius + radii.max())) / (radius + radii)
        return bool(((ratio <= contact) | ((ratio >= gap_low) & (ratio <= gap_high))).any())

    def clear(self) -> None:
        """Take all atoms out again."""
        self.fract, self.symbols, self.sites = [], [], []
        self.images, self.image_radii = np.empty((0, 3)), np.empty(0)

    def add(self, point: F64, symbol: str, orbit: F64, site: int) -> None:
        """Place an atom."""
        self.fract.append(point)
        self.symbols.append(symbol)
        self.sites.append((site, len(orbit)))
        self.images = np.concatenate([self.images, orbit])
        self.image_radii = np.concatenate([self.image_radii, np.full(len(orbit), self.rules.radius(symbol))])


class Reference:
    """One strategy; `structure(rng)` draws a structure.

    Parameters
    ----------
    bundle, config
        As for `generate`; the same errors.
    """

    def __init__(self, bundle: PriorBundle, config: GeneratorConfig) -> None:
        self.rules = reference_rules(bundle, config)
        self.config = config
        self.counters = dict.fromkeys(COUNTERS, 0)

    def structure(self, rng: np.random.Generator, index: int = 0) -> Structure:
        """One structure; `counters` then say what was dropped.

        Raises
        ------
        XtalpriorsError
            The structure is still empty after all redraws.
        """
        rules = self.rules
        for redraw in range(self.config.redraws + 1):
            drawn: dict[str, float] = {}
            if rules.cell.joint is not None:
                cell, drawn = draw_fitted_cell(rules.cell, rng)
            else:
                cell = draw_cell(rules.cell, rng)
            n_atoms, n_hydrogens = self._numbers_of_atoms(cell, drawn, rng)
            self.counters = dict.fromkeys(COUNTERS, 0)
            self.counters |= {"n_target": n_atoms, "n_hydrogen_target": n_hydrogens, "redraws": redraw}
            crystal = _Crystal(cell, rules)
            if self.config.filling == "fitted":
                self._fill_as_measured(crystal, cell, drawn, rng)
                n_atoms = 0  # the number of atoms follows from the volume: nothing to compare it with
            else:
                self._occupy_special_positions(crystal, rng)
                self._fill_general_positions(crystal, n_atoms, n_hydrogens, rng)
            in_cell = sum(m for s, (_, m) in zip(crystal.symbols, crystal.sites, strict=True) if s != "H")
            if in_cell > 0 and in_cell >= self.config.min_placed_share * n_atoms * rules.group.order:
                return self._finish(crystal, cell, index, drawn, rng)
        raise XtalpriorsError(f"a structure was empty {counted(self.config.redraws + 1, 'time')} in a row.")

    def _numbers_of_atoms(
        self, cell: UnitCell, drawn: dict[str, float], rng: np.random.Generator
    ) -> tuple[int, int]:
        """N′ and N_H: eqs 18 and 19, or of what was drawn with the cell, remainders rounded at random."""
        order = self.rules.group.order
        if "volume_per_atom" in drawn:
            n_atoms = math.floor(cell.volume / (drawn["volume_per_atom"] * order) + rng.random())
            x_h = min(drawn.get("hydrogen_fraction", 0.0), self.config.hydrogen_fraction_max)
            n_hydrogens = math.floor(n_atoms * x_h / (1 - x_h) + rng.random())
            return n_atoms, 0 if self.config.filling == "equal-atoms" else n_hydrogens
        v_atom, x_h = float(self.rules.packing.sample(1, rng=rng)[0]), self._hydrogen_fraction(rng)
        n_atoms = number_of_atoms(cell.volume, v_atom, order)
        return n_atoms, number_of_hydrogens(n_atoms, x_h)

    def _fill_as_measured(
        self, crystal: _Crystal, cell: UnitCell, drawn: dict[str, float], rng: np.random.Generator
    ) -> None:
        """Not in the paper: sets of elements, bonds and contacts of the bundle (`reference.coordinate`)."""
        shares = [
            _share_of(self.rules.cell.joint, drawn, x, rng) for x in ("composition", "hydrogen_fraction")
        ]
        fill_fitted(
            crystal, self.rules, self._orbits_wanted(rng), _distinct,
            (cell.volume, drawn["volume_per_atom"]), (shares[0], shares[1]), self.counters, rng,
        )  # fmt: skip

    def _hydrogen_fraction(self, rng: np.random.Generator) -> float:
        if self.rules.hydrogen is None:
            return 0.0
        limit = self.config.hydrogen_fraction_max
        return float(self.rules.hydrogen.quantile(rng.random() * float(self.rules.hydrogen.cdf(limit))))

    def _orbits_wanted(self, rng: np.random.Generator) -> list[int]:
        """Orbits of each special position: independent draws, or a pattern of the bundle (not in the
        paper)."""
        special, patterns = self.rules.special, self.rules.patterns
        if patterns is None:
            return [int(rng.choice(len(shares), p=shares)) for _, _, shares in special]
        wanted = dict.fromkeys((position.letter for _, position, _ in special), 0)
        row = patterns.orbits[rng.choice(len(patterns.shares), p=patterns.shares)]
        for letters, n in zip(patterns.sets, row, strict=True):
            points = all(p.degrees_of_freedom == 0 for _, p, _ in special if p.letter in letters)
            for k in rng.choice(len(letters), n, replace=not points):
                wanted[letters[k]] += 1
        return [wanted[position.letter] for _, position, _ in special]

    def _occupy_special_positions(self, crystal: _Crystal, rng: np.random.Generator) -> None:
        """Step 1 of molecules; the minimum distance holds, the molecule rule does not (but is counted)."""
        rules = self.rules
        for (site, position, _), wanted in zip(rules.special, self._orbits_wanted(rng), strict=True):
            for _ in range(wanted):
                symbol = rules.draw_element(rng, special=True)
                for _ in range(self.config.special_tries if position.degrees_of_freedom else 1):
                    point = (position.matrix @ rng.random(3) + position.vector) % 1.0
                    orbit = _distinct(crystal.orbit(point))
                    others = np.concatenate([crystal.images, orbit[rules.n_pure :]])
                    if not crystal.is_too_close(point, others):
                        radii = np.append(
                            crystal.image_radii, [rules.radius(symbol)] * (len(orbit) - rules.n_pure)
                        )
                        if self.config.filling == "molecules" and crystal.breaks_molecule_rule(
                            point, rules.radius(symbol), others, radii
                        ):
                            self.counters["special_contacts"] += 1
                        crystal.add(point, symbol, orbit, site)
                        break
                else:
                    self.counters["dropped_special"] += 1

    def _fill_general_positions(
        self, crystal: _Crystal, n_atoms: int, n_hydrogens: int, rng: np.random.Generator
    ) -> None:
        if self.config.filling == "molecules":
            self._grow_molecules(crystal, n_atoms, rng)
            self._add_hydrogens(crystal, n_hydrogens, rng)
        else:
            self._fill_randomly(crystal, n_atoms, n_hydrogens, rng)

    def _fill_randomly(
        self, crystal: _Crystal, n_atoms: int, n_hydrogens: int, rng: np.random.Generator
    ) -> None:
        """Steps 1–4 of the first procedure: non-hydrogen atoms, then hydrogens."""
        for k in range(n_atoms + n_hydrogens):
            symbol = self.rules.draw_element(rng) if k < n_atoms else "H"  # step 1
            for _ in range(self.config.random_tries):
                point = rng.random(3)  # step 2
                if crystal.is_too_close(point, crystal.images):  # step 3
                    continue
                orbit = crystal.orbit(point)
                if not crystal.is_too_close(point, orbit[self.rules.n_pure :]):
                    crystal.add(point, symbol, orbit, GENERAL)
                    break
            else:
                self.counters["dropped" if k < n_atoms else "dropped_hydrogen"] += 1

    def _grow_molecules(self, crystal: _Crystal, n_atoms: int, rng: np.random.Generator) -> None:
        """Steps 2–7 of the second procedure."""
        for k in range(n_atoms):
            n_partners = 0 if k == 0 else len(crystal.symbols)  # step 2: the first one anywhere
            taken = None
            for element in range(self.config.elements_tried):
                if element > 0:
                    self.counters["element_changes"] += 1
                taken = self.rules.draw_element(rng, other_than=taken)  # step 3
                if self._bond(crystal, taken, n_partners, rng):
                    break
            else:
                self.counters["dropped"] += 1

    def _add_hydrogens(self, crystal: _Crystal, n_hydrogens: int, rng: np.random.Generator) -> None:
        """The same with hydrogen, bonded to the skeleton."""
        n_skeleton = len(crystal.symbols)
        for _ in range(n_hydrogens):
            if n_skeleton == 0 or not self._bond(crystal, "H", n_skeleton, rng):
                self.counters["dropped_hydrogen"] += 1

    def _bond(self, crystal: _Crystal, symbol: str, n_partners: int, rng: np.random.Generator) -> bool:
        """Steps 4–6: tries to place one atom, bonded to one of the first `n_partners`, or anywhere without
        any."""
        rules, radius = self.rules, self.rules.radius(symbol)
        for _ in range(self.config.molecule_tries):
            if n_partners == 0:
                point = rng.random(3)
            else:
                a = rng.integers(n_partners)  # step 4
                length = rng.uniform(*self.config.bond_window) * (rules.radius(crystal.symbols[a]) + radius)
                direction = rng.normal(size=3)  # step 5 (Muller 1959)
                direction /= np.linalg.norm(direction)
                point = crystal.fract[a] + crystal.inverse @ (length * direction)
            if crystal.breaks_molecule_rule(point, radius, crystal.images, crystal.image_radii):
                continue
            orbit = crystal.orbit(point)
            own = orbit[rules.n_pure :]
            if not crystal.breaks_molecule_rule(point, radius, own, np.full(len(own), radius)):
                crystal.add(point, symbol, orbit, GENERAL)
                return True
        return False

    def _finish(
        self,
        crystal: _Crystal,
        cell: UnitCell,
        index: int,
        drawn: dict[str, float],
        rng: np.random.Generator,
    ) -> Structure:
        """U_iso: one mean and one deviation per atom, never below `u_iso_min_angstrom2`."""
        rules, smallest = self.rules, self.config.u_iso_min_angstrom2
        mean = drawn.get("u_iso_mean")
        mean = max(float(rules.u_mean.sample(1, rng=rng)[0]) if mean is None else mean, smallest)
        p_low = float(rules.u_deviation.cdf(smallest - mean))
        n = len(crystal.symbols)
        deviations = np.maximum(
            rules.u_deviation.quantile(p_low + (1 - p_low) * rng.random(n)), smallest - mean
        )
        if self.config.filling == "fitted":
            tables, classes = rules.neighbours.u_ratio, rules.neighbours.u_spreads
            spread = drawn.get("u_iso_spread", rules.neighbours.u_spread_usual)
            wide = int(np.searchsorted(classes, spread, side="right"))
            at = {int(z): k for k, z in enumerate(rules.neighbours.atomic_number)}
            rows = [tables[at[ATOMIC_NUMBER[s]] * len(classes) + wide] for s in crystal.symbols]
            levels = np.linspace(0.0, 1.0, tables.shape[1])
            ratios = np.array([np.interp(rng.random(), levels, row) for row in rows])
            deviations = np.maximum(mean * ratios, smallest) - mean
        return Structure(
            index,
            cell,
            rules.group,
            np.array([ATOMIC_NUMBER[s] for s in crystal.symbols], np.uint8),
            np.array(crystal.fract),
            (mean + deviations).astype(np.float32),
            np.array([m for _, m in crystal.sites], np.int16),
            np.array([s for s, _ in crystal.sites], np.uint8),
        )


def _share_of(joint: Joint | None, drawn: dict[str, float], name: str, rng: np.random.Generator) -> float:
    """Share of a variable in its distribution, uniform within a step of it; uniform where it is not drawn."""
    if joint is None or name not in drawn:
        return float(rng.random())
    distribution, value = joint.prior.variables[name].distribution("empirical"), drawn[name]
    low, high = (float(distribution.cdf(x)) for x in (np.nextafter(value, -np.inf), value))
    return low + rng.random() * (high - low)


@cache
def _neighbours(*reach: int) -> F64:
    """Lattice translations (k, 3) up to `reach` cells along each axis, the cell itself included."""
    return np.array(list(product(*(range(-k, k + 1) for k in reach))), float)


def _distinct(points: F64) -> F64:
    """Points that differ by more than lattice translations, the first of each kept."""
    kept: list[int] = []
    for k, point in enumerate(points):
        difference = points[kept] - point
        difference -= np.round(difference)
        if not np.any(np.abs(difference).max(axis=1, initial=0.0) < 1e-6):
            kept.append(k)
    return points[kept]
