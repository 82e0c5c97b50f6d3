"""Packed molecules: contacts by brute force, rigid bodies, classes, determinism, and what is refused."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM, SYMBOLS, is_metal
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import Generator, generate
from xtalpriors.generator.molecules.library import library_of
from xtalpriors.generator.structures import Structure, StructureBatch
from xtalpriors.params import DEFAULT_STRATEGIES
from xtalpriors.priors.bundle import make_bundle, published_bundle
from xtalpriors.priors.distributions.distribution import Categorical, fixed

BUNDLE = published_bundle()
PHAI = configure(cell="volume-uniform", filling="packed", volume_min_angstrom3=300, volume_max_angstrom3=800)
N = 40


@pytest.fixture(scope="module")
def batch() -> StructureBatch:
    return generate(BUNDLE, PHAI, 5, 0, N)


def _bodies(s: Structure) -> np.ndarray:
    """Number of the molecule of each atom: atoms are joined up to 1.25 times their covalent radii."""
    xyz = s.fract @ s.cell.orthogonalization.T
    radius = np.array([COVALENT_RADIUS_ANGSTROM[z] for z in s.element])
    distance = np.sqrt(((xyz[:, None] - xyz) ** 2).sum(axis=2))
    metal = np.array([is_metal(symbol) for symbol in s.symbols])
    joined = (distance < 1.25 * (radius[:, None] + radius)) & ~metal[:, None] & ~metal
    return np.asarray(connected_components(joined)[1])


def _closest(s: Structure) -> float:
    """Smallest distance between atoms of two organic molecules over the sum of their van der Waals radii."""
    waals = np.array([gemmi.Element(z).vdw_r for z in s.element])
    bodies, matrix = _bodies(s), s.cell.orthogonalization
    far = range(-5, 6)
    shifts = np.array([(i, j, k) for i in far for j in far for k in far])
    least = np.inf
    for rotation, translation in zip(s.group.rotations, s.group.translations, strict=True):
        image = s.fract @ rotation.T + translation
        for shift in shifts:
            d = np.sqrt((((image + shift)[None] - s.fract[:, None]) @ matrix.T) ** 2 @ np.ones(3))
            ratio = d / (waals[:, None] + waals)
            if np.array_equal(rotation, np.eye(3)) and not np.any(translation) and not np.any(shift):
                ratio = np.where(bodies[:, None] == bodies, np.inf, ratio)
            least = min(least, ratio.min())
    return float(least)


def test_molecules_touch_and_do_not_clash(batch: StructureBatch) -> None:
    organic = [s for s in batch if not any(is_metal(symbol) for symbol in s.symbols)]
    assert len(organic) > 30
    ratios = np.array([_closest(s) for s in organic[:6]])
    assert ratios.min() > 0.9 - 1e-6
    assert np.median(ratios) == pytest.approx(0.9, abs=1e-4)


def test_molecules_are_those_of_the_library_and_rigid(batch: StructureBatch) -> None:
    library = library_of(None)
    spans = list(zip(library.offsets[:-1], library.offsets[1:], strict=True))

    def shape(element: np.ndarray, xyz: np.ndarray) -> tuple[float, ...]:
        distance = np.sqrt(((xyz[:, None] - xyz) ** 2).sum(axis=2))
        weight = element.astype(float)[:, None] * element
        return tuple(np.round([distance.sum(), (distance * weight).sum(), len(element)], 1))

    known = {shape(library.element[a:b], library.xyz[a:b]) for a, b in spans}
    found = 0
    for s in batch:
        bodies, xyz = _bodies(s), s.fract @ s.cell.orthogonalization.T
        for body in range(bodies.max() + 1):
            atoms = bodies == body
            if atoms.sum() > 1:
                found += shape(s.element[atoms], xyz[atoms]) in known
    # rounding to 0.1 can fall to either side
    assert found > 0.8 * N


def test_no_void_is_left_and_lengths_stay_in_their_bounds(batch: StructureBatch) -> None:
    assert batch.cell[:, :3].min() >= 4.0 and batch.cell[:, :3].max() <= 10.0
    masses = np.array([gemmi.Element(z).weight for z in range(119)])
    grams = np.bincount(batch.structure_of_atom, masses[batch.element], len(batch)) * 4 / 6.02214e23
    density = grams / (batch.volume * 1e-24)
    heaviest = np.array([max(s.element) for s in batch])
    organic = density[heaviest < 18]
    assert organic.min() > 0.5 and organic.max() < 2.2 and 0.8 < np.median(organic) < 1.5
    assert np.all((batch.u_iso >= 0.005) & (batch.u_iso <= 0.06))
    assert batch.u_iso.mean() == pytest.approx(0.0325, abs=0.003)


def test_classes_have_their_shares() -> None:
    """5.66 % of 49 million structures of 2024 were metal-organic and 0.05 % inorganic."""
    assert PHAI.packed_metal_organic_share == 0.0566 and PHAI.packed_inorganic_share == 0.0005
    half = configure(
        cell="volume-uniform", filling="packed", packed_metal_organic_share=0.5, packed_inorganic_share=0.5
    )
    for s in generate(BUNDLE, half, 1, 0, 30):
        metals = [symbol for symbol in s.symbols if is_metal(symbol)]
        assert len(metals) == 1 or "C" not in s.symbols
        assert metals
    kinds = ["C" in s.symbols for s in generate(BUNDLE, half, 1, 0, 30)]
    assert 5 < sum(kinds) < 25


def test_a_structure_depends_on_its_index_alone(batch: StructureBatch) -> None:
    generator = Generator(BUNDLE, PHAI, 5)
    parts = [generator.batch(a, n) for a, n in ((30, 10), (0, 1), (1, 29))]
    assert StructureBatch.concatenate([*parts[1:], parts[0]]).equals(batch)


def test_the_library_and_not_its_place_decides(tmp_path: Path, batch: StructureBatch) -> None:
    from xtalpriors.generator.molecules.library import SHIPPED, Conformer, Library, read_library, write_shard

    copy = tmp_path / "copy.parquet"
    copy.write_bytes(SHIPPED.read_bytes())
    moved = PHAI.model_copy(update={"packed_library": copy})
    assert moved.digest == PHAI.digest
    assert generate(BUNDLE, moved, 5, 3, 4).equals(generate(BUNDLE, PHAI, 5, 3, 4))
    whole = read_library(SHIPPED)
    first = slice(0, int(whole.offsets[1]))
    one = Conformer(
        whole.smiles[0], whole.element[first], (whole.xyz[first] * 1000).round().astype(np.int16), 30.0
    )
    write_shard(tmp_path / "one.parquet", [one], {})
    assert isinstance(Library.of([one]), Library)
    other = configure(cell="volume-uniform", filling="packed", packed_library=tmp_path / "one.parquet")
    assert other.digest != PHAI.digest


def test_other_strategies_keep_their_digests() -> None:
    """Options of `packed` are no part of a configuration that packs nothing: its structures stay."""
    assert not any(name.startswith("packed") for name in configure().model_dump())
    assert configure().digest == "31786cd21b27953ad4be8f627a792e6d"
    assert configure(packed_tries=7).digest == configure().digest
    assert DEFAULT_STRATEGIES["phai-2024"] == PHAI


def test_other_groups(batch: StructureBatch) -> None:
    for symbol in ("P 21 21 21", "P -1", "C 1 2/c 1"):
        made = generate(
            BUNDLE, configure(cell="volume-uniform", filling="packed", space_group=symbol), 2, 0, 2
        )
        assert _closest(made[0]) >= 0.9 - 1e-5, symbol
    with pytest.raises(UsageError, match="the lengths of P 4/m are not free"):
        generate(BUNDLE, configure(filling="packed", space_group="P 4/m"))


def test_what_cannot_be_packed_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="general positions"):
        configure(filling="packed", special_positions=True)
    with pytest.raises(UsageError, match="xtalpriors molecules"):
        generate(BUNDLE, configure(filling="packed", packed_library=tmp_path / "missing.parquet"))
    dense = configure(
        cell="volume-uniform", filling="packed", packed_coefficient_min=0.75, packed_tries=2, redraws=1
    )
    with pytest.raises(XtalpriorsError, match=r"could not be packed in \d+ placements"):
        generate(BUNDLE, dense, 1, 0, 20)
    assert is_metal(SYMBOLS[26])


def test_a_bundle_without_metals_packs_molecules_alone_if_told_to() -> None:
    shares = Categorical(labels=("C", "O"), shares=(fixed(0.5), fixed(0.5)))
    known = BUNDLE.priors.elements
    elements = known.model_copy(update={"general": known.general.model_copy(update={"per_site": shares})})
    organic = make_bundle(
        "organic", BUNDLE.created_from, BUNDLE.priors.model_copy(update={"elements": elements})
    )
    with pytest.raises(XtalpriorsError, match=r"have no metals, .* or set packed_metal_organic_share=0 and"):
        generate(organic, PHAI)
    alone = PHAI.model_copy(update={"packed_metal_organic_share": 0.0, "packed_inorganic_share": 0.0})
    assert not any(is_metal(SYMBOLS[z]) for z in generate(organic, alone, 1, 0, 5).element)
