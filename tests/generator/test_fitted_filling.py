"""The filling `fitted`: bonds, contacts and sets of elements of a bundle whose rules are known."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fitted_cells import SPREADS, cell_bundle
from fitted_contents import BOND, contents_bundle
from scipy import stats

from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import Generator, generate
from xtalpriors.generator.kernels.coordinate import _bond_direction
from xtalpriors.generator.kernels.random import new_stream, position, seek, stream_key
from xtalpriors.generator.reference.reference import Reference
from xtalpriors.generator.specification import neighbours as neighbours_module
from xtalpriors.generator.structures import Structure, StructureBatch
from xtalpriors.priors.bundle import PriorBundle, make_bundle
from xtalpriors.priors.distributions.distribution import Counts, Empirical, fixed
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.kinds.contents import SiteCounts
from xtalpriors.priors.kinds.coordination import Coordination, Shell

FITTED = {"cell": "fitted", "filling": "fitted"}
RADII = np.array([r or 0.0 for r in COVALENT_RADIUS_ANGSTROM])


@pytest.fixture(scope="module")
def batch() -> StructureBatch:
    return generate(contents_bundle(), configure(**FITTED), 1, 0, 1500)


def neighbours(structure: Structure) -> list[tuple[int, int, float]]:
    """Elements and d over the radii, of each atom of the asymmetric unit and every other within 4 Å."""
    images = np.concatenate(
        [
            (structure.group.rotations @ x + structure.group.translations) % 1.0 + shift
            for x in structure.fract
            for shift in np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3)
        ]
    )
    elements = np.repeat(structure.element, 27 * structure.group.order)
    found = []
    for x, z in zip(structure.fract, structure.element, strict=True):
        difference = images - x % 1.0
        d = np.linalg.norm(difference @ structure.cell.orthogonalization.T, axis=1)
        for k in np.flatnonzero((d > 0.05) & (d < 4.0)):
            found.append((int(z), int(elements[k]), float(d[k] / (RADII[z] + RADII[elements[k]]))))
    return found


def test_a_structure_has_the_elements_of_one_set(batch: StructureBatch) -> None:
    sets = [frozenset(s.symbols) for s in batch]
    assert set().union(*sets) == {"Na", "Cl", "C", "O", "H"}
    assert all(s <= {"Na", "Cl"} or s <= {"C", "O", "H"} for s in sets)
    salts = sum(s <= {"Na", "Cl"} for s in sets)
    assert stats.binomtest(salts, len(sets), 0.4).pvalue > 1e-3
    carbon = (batch.element == 6).sum() / np.isin(batch.element, (6, 8)).sum()
    assert carbon == pytest.approx(0.8, abs=0.02)


def test_hardly_an_atom_is_dropped_and_the_volume_per_atom_is_kept(batch: StructureBatch) -> None:
    totals = batch.totals
    assert totals["dropped"] <= 0.01 * totals["n_target"]
    assert totals["redraws"] == 0
    heavy = np.bincount(batch.structure_of_atom, (batch.element > 1) * batch.multiplicity, len(batch))
    assert batch.volume.sum() / heavy.sum() == pytest.approx(16 * 0.976, rel=0.03)  # U(12; 20) Å³


def test_no_two_atoms_are_on_top_of_each_other_and_most_are_bonded(batch: StructureBatch) -> None:
    nearest = []
    for structure in list(batch)[:150]:
        ratios = [ratio for a, b, ratio in neighbours(structure) if a != 1 and b != 1]
        assert not ratios or min(ratios) > 0.67  # 0.7 less the width of a step of the tables
        # 12–20 Å³ per atom leave salts no room for the 4.3 Å between like ions of this bundle
        nearest += [min(ratios)] if ratios and "C" in structure.symbols else []
    bonded = np.mean([BOND[0] - 0.03 < x < BOND[1] + 0.03 for x in nearest])
    assert len(nearest) > 60 and bonded > 0.9


def test_hydrogens_are_bonded_to_other_elements_only(batch: StructureBatch) -> None:
    distances = []
    for structure in list(batch)[:150]:
        of_hydrogen = [(b, ratio) for a, b, ratio in neighbours(structure) if a == 1]
        n = int((structure.element == 1).sum())
        bonds = [ratio for b, ratio in of_hydrogen if b != 1 and BOND[0] - 1e-3 < ratio < BOND[1] + 1e-3]
        assert len(bonds) >= n
        distances += [ratio for b, ratio in of_hydrogen if b == 1]
    assert np.mean(np.array(distances) < 1.3) < 0.02


@pytest.fixture
def few_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Atoms are moved twice and cells filled twice, so that the reference takes less time."""
    monkeypatch.setattr(neighbours_module, "SWEEPS", 2)
    monkeypatch.setattr(neighbours_module, "FILLINGS", 2)


def test_kernels_and_reference_fill_alike(few_moves: None) -> None:
    bundle, config = contents_bundle(), configure(**FITTED)
    reference, rng = Reference(bundle, config), np.random.default_rng(6)
    slow = [reference.structure(rng) for _ in range(40)]
    fast = list(Generator(bundle, config, 1).batch(0, 400))
    measures = {
        "atoms": lambda s: int((s.element > 1).sum()),
        "hydrogen": lambda s: float((s.element == 1).mean()),
        "u": lambda s: float(s.u_iso.mean()),
        "nearest": lambda s: min((r for a, b, r in neighbours(s) if a != 1 and b != 1), default=2.0),
        "neighbours": lambda s: sum(r < 1.2 for _, _, r in neighbours(s)) / len(s.element),
    }
    for name, measure in measures.items():
        a, b = [measure(s) for s in slow], [measure(s) for s in fast]
        assert stats.ks_2samp(a, b).pvalue > 1e-3, name


def test_the_spread_of_u_iso_differs_from_structure_to_structure(batch: StructureBatch) -> None:
    """U(0.1; 0.5) in the bundle; that of seven atoms is known to a third."""
    large = [s.u_iso[s.element > 1] for s in batch if (s.element > 1).sum() >= 7]
    spread = np.array([u.std(ddof=1) / u.mean() for u in large])
    assert len(spread) > 100
    assert spread.mean() == pytest.approx(np.mean(SPREADS), abs=0.04)
    assert np.quantile(spread, 0.1) < 0.17 and np.quantile(spread, 0.9) > 0.4


def test_listed_numbers_of_sites_are_drawn_whole(few_moves: None) -> None:
    """Listed with twice as many Cl as Na, where the shares alone would give as many."""
    bundle = contents_bundle()
    known = bundle.priors.contents
    assert known is not None
    listed = tuple(SiteCounts(share=0.25, general=(k, 2 * k), special=(0, 0)) for k in range(1, 5))
    salt = known.sets["Na Cl"].model_copy(update={"sites": listed, "share": fixed(1.0), "with_special": 0.0})
    contents = known.model_copy(update={"sets": {"Na Cl": salt}})
    made = make_bundle("x", bundle.created_from, bundle.priors.model_copy(update={"contents": contents}))
    config = configure(special_positions=False, **FITTED)
    rng, reference = np.random.default_rng(3), Reference(made, config)
    fast = [s for s in Generator(made, config, 1).batch(0, 600) if len(s.element) == 6]
    slow = [s for s in (reference.structure(rng) for _ in range(50)) if len(s.element) == 6]
    for structures in (fast, slow):
        assert len(structures) > 10
        assert np.mean([(s.element == 11).sum() == 2 for s in structures]) > 0.7


def with_shells(bonds: int, angle: float) -> PriorBundle:
    """`contents_bundle` where every atom has so many bonds, all at the same angle to each other."""
    bundle = contents_bundle()
    table = Empirical(probabilities=(0.0, 1.0), values=(angle - 0.1, angle + 0.1))
    shell = Shell(
        n_clusters=100,
        of_kind=False,
        numbers=Counts(probabilities=tuple(fixed(float(k == bonds)) for k in range(bonds + 1))),
        angle=ScalarPrior(unit="degree", convention="", empirical=table),
    )
    known = Coordination(convention="", bond_max=1.25, elements=dict.fromkeys(("C", "O", "Na", "Cl"), shell))
    return make_bundle("x", bundle.created_from, bundle.priors.model_copy(update={"coordination": known}))


def bonds_of_an_atom(batch: StructureBatch) -> float:
    """Mean number of bonds of C and O to C and O."""
    found = [
        sum(a != 1 and b != 1 and r < BOND[1] + 0.03 for a, b, r in neighbours(s)) / (s.element > 1).sum()
        for s in batch
    ]
    return float(np.mean(found))


def test_atoms_have_the_bonds_they_are_to_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mostly pairs where every atom has one bond; chains and rings where it has two."""
    monkeypatch.setattr(neighbours_module, "SWEEPS", 0)
    config = configure(contents_class="organic", special_positions=False, **FITTED)
    one, two = (bonds_of_an_atom(Generator(with_shells(n, 110.0), config, 1).batch(0, 60)) for n in (1, 2))
    assert one < 1.4 and two > one + 0.3


def test_new_bonds_are_at_the_measured_angle_and_all_around() -> None:
    """Cosine −0.4 … −0.3 to a bond along (0.6, 0, 0.8), turned about it at random."""
    stream, reference = new_stream(stream_key("angles", "", 1)), np.array([0.6, 0.0, 0.8])
    table = np.array([[-0.4, -0.3]])
    drawn = []
    for k in range(500):
        seek(stream, k)
        drawn.append(_bond_direction(table, 0, reference, stream, np.uint64(position(stream)))[:3])
    vectors = np.array(drawn)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(500))
    along = vectors @ reference
    assert along.min() > -0.4001 and along.max() < -0.2999 and along.mean() == pytest.approx(-0.35, abs=0.01)
    around = vectors - along[:, None] * reference
    angle = np.arctan2(around[:, 1], around @ np.array([0.8, 0.0, -0.6]))
    assert stats.kstest((angle / (2 * np.pi)) % 1.0, "uniform").pvalue > 1e-3


def test_moved_atoms_have_more_bonds_and_fewer_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Salts, too dense to keep like ions apart: bonds of Na and Cl, and other contacts of them below 1.3."""

    def bonds_and_contacts() -> tuple[float, float]:
        config = configure(contents_class="inorganic", special_positions=False, **FITTED)
        found = [
            [
                sum(a != b and bonded == (abs(r - 1.0) < 0.07) and r < 1.28 for a, b, r in neighbours(s))
                for bonded in (True, False)
            ]
            for s in Generator(contents_bundle(), config, 1).batch(0, 80)
        ]
        bonds, contacts = np.mean(found, axis=0)
        return float(bonds), float(contacts)

    settled = bonds_and_contacts()
    monkeypatch.setattr(neighbours_module, "SWEEPS", 0)
    placed = bonds_and_contacts()
    assert settled[0] > 1.08 * placed[0] and settled[1] < 0.85 * placed[1]


def _without(prior: str) -> PriorBundle:
    known = contents_bundle()
    return make_bundle("cut", known.created_from, known.priors.model_copy(update={prior: None}))


def test_elements_of_another_filling_are_not_needed() -> None:
    """Elements are those of `contents`, on special positions too."""
    made = generate(_without("elements"), configure(**FITTED), 1, 0, 100)
    assert made.n_special.sum() > 0 and set(made.element.tolist()) == {1, 6, 8, 11, 17}


def test_without_special_positions_in_the_bundle_the_remedy_is_said_and_helps() -> None:
    bundle = _without("special_positions")
    with pytest.raises(XtalpriorsError, match=r"bundle 'cut' has no .* or set special_positions=false\.$"):
        generate(bundle, configure(**FITTED), 1, 0, 1)
    assert len(generate(bundle, configure(special_positions=False, **FITTED), 1, 0, 2)) == 2


def test_special_positions_and_high_symmetry() -> None:
    config = configure(space_group="F m -3 m", **FITTED)
    made = generate(contents_bundle(), config, 1, 0, 20)
    assert made.n_atoms.min() > 0
    special = made.multiplicity < made.group.order
    assert special.any()
    assert (made.multiplicity[~special] == made.group.order).all()


def test_any_split_gives_the_same_structures(batch: StructureBatch) -> None:
    generator = Generator(contents_bundle(), configure(**FITTED), 1)
    parts = [generator.batch(a, n) for a, n in ((0, 37), (37, 100), (137, 63))]
    assert StructureBatch.concatenate(parts).equals(generator.batch(0, 200))
    assert np.array_equal(generator.batch(150, 1).fract, batch[150].fract)


def test_only_the_class_asked_for() -> None:
    organic = generate(contents_bundle(), configure(contents_class="organic", **FITTED), 1, 0, 50)
    assert set(np.unique(organic.element)) <= {1, 6, 8}
    with pytest.raises(UsageError, match=r"contents_class is metal-organic.*all inorganic, organic"):
        Generator(contents_bundle(), configure(contents_class="metal-organic", **FITTED), 1)


def test_what_the_filling_needs_is_said() -> None:
    with pytest.raises(XtalpriorsError, match=r"no prior 'bonds'"):
        Generator(cell_bundle(), configure(**FITTED), 1)
    with pytest.raises(UsageError, match=r"filling=fitted.*cell=fitted"):
        Generator(contents_bundle(), configure(filling="fitted"), 1)
    bundle = contents_bundle()
    assert bundle.priors.bonds is not None
    carbon = {"kinds": {"C": ("C",)}, "pooled": {"C & C": bundle.priors.bonds.pooled["C & C"]}}
    fewer = bundle.priors.bonds.model_copy(update=carbon)
    lacking = make_bundle("x", bundle.created_from, bundle.priors.model_copy(update={"bonds": fewer}))
    with pytest.raises(XtalpriorsError, match=r"neighbours of H and H"):
        Generator(lacking, configure(**FITTED), 1)


def test_the_structures_are_those_of_every_machine() -> None:
    """The same bits whatever the processor, until the algorithm changes."""
    assert _digest(generate(contents_bundle(), configure(**FITTED), 1, 0, 200)) == "e573f7622e7e3c75"


@pytest.mark.slow
def test_a_plain_processor_gives_the_same_structures(tmp_path: Path) -> None:
    """Without AVX-512 and whatever else this processor has, in NumPy and in compiled kernels."""
    code = (
        "from test_fitted_filling import FITTED, _digest, configure, contents_bundle, generate;"
        "print(_digest(generate(contents_bundle(), configure(**FITTED), 1, 0, 200)))"
    )
    plain = {
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])]),
    }
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **plain}
    )
    assert result.stdout.strip() == _digest(generate(contents_bundle(), configure(**FITTED), 1, 0, 200))


def _digest(batch: StructureBatch) -> str:
    arrays = (batch.offsets, batch.cell, batch.counters, batch.element, batch.fract, batch.u_iso)
    content = b"".join(x.tobytes() for x in (*arrays, batch.multiplicity, batch.site))
    return hashlib.sha256(content).hexdigest()[:16]
