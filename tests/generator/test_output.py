"""Structures on disk and in other libraries; runs that stop and continue."""

from __future__ import annotations

import contextlib
from pathlib import Path

import gemmi
import numpy as np
import pyarrow.parquet as pq
import pytest
from reader_cif import read

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import Generator, generate
from xtalpriors.generator.output.cif import to_cif
from xtalpriors.generator.output.convert import Array, padded, to_ase, to_gemmi, to_pymatgen
from xtalpriors.generator.output.parquet import read_batches, read_metadata, read_parquet, write_parquet
from xtalpriors.generator.output.shards import generate_to
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.priors.bundle import published_bundle

BUNDLE = published_bundle()


def test_parquet_round_trip(tmp_path: Path) -> None:
    batch = generate(BUNDLE, configure(space_group="F m -3 m"), 1, 5, 300)
    write_parquet(batch, tmp_path / "a.parquet")
    assert read_parquet(tmp_path / "a.parquet").equals(batch)
    parts = list(read_batches(tmp_path / "a.parquet", size=70))
    assert [len(p) for p in parts] == [70, 70, 70, 70, 20]
    assert StructureBatch.concatenate(parts).equals(batch)
    assert read_metadata(tmp_path / "a.parquet")["space_group"]["number"] == 225


@pytest.mark.parametrize("symbol", ["P 1 21/c 1", "R -3 m:R", "F d -3 m:1", "P 1 1 21/b", 'P 3 2"'])
def test_gemmi_reads_the_cif_back(symbol: str) -> None:
    config = configure(space_group=symbol, special_probability=0.3)
    for structure in generate(BUNDLE, config, 1, 0, 10):
        small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(to_cif(structure)).sole_block())
        group = small.spacegroup
        assert {op.triplet() for op in group.operations()} == {
            gemmi.Op(t).triplet() for t in structure.group.operators
        }
        assert small.cell.parameters == pytest.approx(structure.cell.parameters, abs=1e-7)
        assert [s.element.atomic_number for s in small.sites] == structure.element.tolist()
        fract = np.array([s.fract.tolist() for s in small.sites])
        assert np.abs(fract - structure.fract).max() < 1e-9
        assert np.allclose([s.u_iso for s in small.sites], structure.u_iso, atol=1e-6)
        # gemmi's own idea of the multiplicities, from the distance of an atom to its images
        small.setup_cell_images()
        for site, multiplicity in zip(small.sites, structure.multiplicity, strict=True):
            on_itself = small.cell.is_special_position(site.fract, 0.05) + 1
            assert structure.group.order / on_itself == multiplicity


WYCKOFF_OF_P1_BAR = {  # International Tables A, P-1: doubled coordinates of the centres
    (0, 0, 0): "a",
    (0, 0, 1): "b",
    (0, 1, 0): "c",
    (1, 0, 0): "d",
    (1, 1, 0): "e",
    (1, 0, 1): "f",
    (0, 1, 1): "g",
    (1, 1, 1): "h",
}


def _diffraction(small: gemmi.SmallStructure) -> Array:
    """1/d² and |F|² of the reflections to 1.5 Å by gemmi, each sorted: the same in any cell of a lattice."""
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    hkl = gemmi.make_miller_array(small.cell, small.spacegroup, 1.5)
    squares = [abs(calculator.calculate_sf_from_small_structure(small, h.tolist())) ** 2 for h in hkl]
    return np.array([np.sort(small.cell.calculate_1_d2_array(hkl)), np.sort(squares)])


@pytest.mark.parametrize("symbol", ["P -1", "P 1"])
def test_triclinic_cifs_are_reduced_and_the_same_crystals(symbol: str) -> None:
    """gemmi calls each cell reduced, and calculates the diffraction of the cell as generated."""
    changed = letters = 0
    for structure in generate(BUNDLE, configure(space_group=symbol), 1, 0, 40):
        block = gemmi.cif.read_string(to_cif(structure)).sole_block()
        small = gemmi.make_small_structure_from_block(block)
        assert gemmi.GruberVector(small.cell, None).is_niggli(1e-3)
        assert small.cell.volume == pytest.approx(structure.cell.volume, rel=1e-6)
        as_generated = to_gemmi(structure)
        assert [s.element.atomic_number for s in small.sites] == structure.element.tolist()
        np.testing.assert_allclose(_diffraction(small), _diffraction(as_generated), rtol=2e-4, atol=1e-3)
        changed += small.cell.parameters != pytest.approx(structure.cell.parameters, abs=1e-6)
        table = block.find("_atom_site_", ["fract_x", "fract_y", "fract_z", "Wyckoff_symbol"])
        for row, multiplicity in zip(table, structure.multiplicity, strict=True):
            if symbol == "P -1" and multiplicity == 1:
                halves = tuple(round(2 * float(row[i])) % 2 for i in range(3))
                assert row[3] == WYCKOFF_OF_P1_BAR[halves]
                letters += 1
    assert changed > 10 and (letters > 10 or symbol == "P 1")


def test_a_cif_says_how_it_was_made(tmp_path: Path) -> None:
    """Seed and index give the structure again; the formula is that of the atoms; mining agrees with both."""
    config = configure(space_group="P 1 21/c 1")
    generate_to(tmp_path / "cifs", BUNDLE, config, seed=7, start=3, count=2, file_format="cif")
    file = tmp_path / "cifs" / f"{4:012d}.cif"
    block = gemmi.cif.read(str(file)).sole_block()
    tags = ("seed", "index", "bundle", "priors_digest", "config_digest")
    value = {tag: gemmi.cif.as_string(str(block.find_value(f"_xtalpriors_{tag}"))) for tag in tags}
    assert list(value.values()) == ["7", "4", "melgalvis-2026", BUNDLE.priors_digest, config.digest]
    again = generate(BUNDLE, config, int(value["seed"]), int(value["index"]), 1)[0]
    small = gemmi.make_small_structure_from_block(block)
    assert [s.element.atomic_number for s in small.sites] == again.element.tolist()
    entries, _, rejections = read(file.read_text(encoding="utf-8"))
    assert not rejections and entries[0]["composition_agreement"] == "agree"
    assert entries[0]["formula_units"] == entries[0]["z_declared"]


def test_a_batch_prints_five_lines() -> None:
    batch = generate(BUNDLE, configure(), 1, 5, 300)
    lines = repr(batch).splitlines()
    assert len(lines) == 5 and max(map(len, lines)) < 100
    assert lines[0] == "StructureBatch: 300 structures in P 1 21/c 1, index 5 … 304"
    assert f"{len(batch.element):,}" in lines[2] and f"{int(batch.n_special.sum()):,}" in lines[4]


def test_other_libraries_hold_the_same_cell_contents() -> None:
    structure = generate(BUNDLE, configure(special_probability=0.3, space_group="P m m m"), 1, 0, 1)[0]
    expected = int(structure.multiplicity.sum())
    theirs = to_pymatgen(structure)
    assert len(theirs) == expected
    assert theirs.volume == pytest.approx(structure.cell.volume, rel=1e-9)
    assert len(to_gemmi(structure).get_all_unit_cell_sites()) == expected
    ase = pytest.importorskip("ase", reason="ASE is an extra")
    assert isinstance(to_ase(structure), ase.Atoms)


def test_padded_arrays() -> None:
    batch = generate(BUNDLE, configure(), 1, 0, 20)
    arrays = padded(batch, 100)
    assert arrays["fract"].shape == (20, 100, 3)
    for k, structure in enumerate(batch):
        n = len(structure.element)
        assert np.array_equal(arrays["element"][k, :n], structure.element)
        assert not arrays["weight"][k, n:].any()
        assert np.allclose(arrays["weight"][k, :n], structure.multiplicity / 4)
    with pytest.raises(UsageError, match="n_atoms"):
        padded(batch, 2)


def test_one_file_is_the_same_whatever_the_workers_and_after_an_interruption(tmp_path: Path) -> None:
    options = {"seed": 3, "start": 100, "count": 1000, "shard_size": 300}
    plain, threads, resumed = (tmp_path / f"{name}.parquet" for name in ("plain", "threads", "resumed"))
    report = generate_to(plain, BUNDLE, configure(), workers=1, **options)
    assert report.n_structures == 1000
    assert report.totals["n_target"] > 1000
    generate_to(threads, BUNDLE, configure(), workers=3, **options)

    class Stop(KeyboardInterrupt):
        pass

    @contextlib.contextmanager
    def stops_after_two_shards(what: str, total: int | None, unit: str):  # type: ignore[no-untyped-def]
        seen = 0

        def advance(n: int = 1) -> None:
            nonlocal seen
            seen += n
            if seen > 700:
                raise Stop

        yield advance

    with pytest.raises(Stop):
        generate_to(resumed, BUNDLE, configure(), workers=2, progress=stops_after_two_shards, **options)
    assert not resumed.exists()
    left = sorted(p.name for p in (tmp_path / "resumed.parquet.parts").iterdir())
    assert left == [
        "run.json",
        "structures-000000000100-000000000399.parquet",
        "structures-000000000400-000000000699.parquet",
    ]
    report = generate_to(resumed, BUNDLE, configure(), workers=1, **options)
    assert report.n_resumed == 600
    assert plain.read_bytes() == threads.read_bytes() == resumed.read_bytes()
    assert read_parquet(plain).equals(generate(BUNDLE, configure(), 3, 100, 1000))
    assert read_metadata(plain)["run"]["seed"] == 3
    assert not list(tmp_path.glob("*.parts"))


def test_machines_share_a_folder_of_shards(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    for start in (600, 0):
        generate_to(folder, BUNDLE, configure(), seed=1, start=start, count=600, shard_size=300)
    files = sorted(folder.glob("*.parquet"))
    assert len(files) == 4
    together = StructureBatch.concatenate([read_parquet(f) for f in files])
    assert together.equals(generate(BUNDLE, configure(), 1, 0, 1200))
    again = generate_to(folder, BUNDLE, configure(), seed=1, start=0, count=600, shard_size=300)
    assert again.n_resumed == 600
    with pytest.raises(UsageError, match="another run"):
        generate_to(folder, BUNDLE, configure(), seed=2, count=10)


def test_a_folder_of_cifs_continues(tmp_path: Path) -> None:
    folder = tmp_path / "cifs"
    generate_to(folder, BUNDLE, configure(), seed=1, count=12, file_format="cif")
    first = {p.name: p.read_bytes() for p in folder.glob("*.cif")}
    assert len(first) == 12
    (folder / "000000000004.cif").unlink()
    report = generate_to(folder, BUNDLE, configure(), seed=1, count=15, file_format="cif")
    assert report.n_resumed == 11
    assert {p.name: p.read_bytes() for p in folder.glob("*.cif")}.items() >= first.items()
    assert len(list(folder.glob("*.cif"))) == 15


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="not empty"):
        generate_to(tmp_path / "full", BUNDLE, configure(), count=1)
    with pytest.raises(UsageError, match="give a folder"):
        generate_to(tmp_path / "a.parquet", BUNDLE, configure(), count=1, file_format="cif")
    with pytest.raises(UsageError, match="at least one"):
        generate_to(tmp_path / "a.parquet", BUNDLE, configure(), count=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(XtalpriorsError, match="file is a file and no folder"):
        generate_to(tmp_path / "file" / "a.parquet", BUNDLE, configure(), count=1)
    pq.write_table(
        pq.read_table(_some_parquet(tmp_path)).replace_schema_metadata(), tmp_path / "other.parquet"
    )
    with pytest.raises(XtalpriorsError, match="no generated structures"):
        read_parquet(tmp_path / "other.parquet")
    with pytest.raises(XtalpriorsError, match="cannot be read"):
        read_parquet(tmp_path / "file")
    with pytest.raises(XtalpriorsError, match="there is no file"):
        read_parquet(tmp_path / "missing.parquet")


def _some_parquet(folder: Path) -> Path:
    write_parquet(generate(BUNDLE, configure(), 1, 0, 3), folder / "some.parquet")
    return folder / "some.parquet"


def test_memory_does_not_grow_with_the_count(tmp_path: Path) -> None:
    """Batches are made as they are asked for: at most two per worker wait."""
    generator = Generator(BUNDLE, configure(filling="equal-atoms"), 1)
    made: list[int] = []
    original = generator.batch

    def counting(start: int, count: int) -> StructureBatch:
        made.append(start)
        return original(start, count)

    generator.batch = counting  # type: ignore[method-assign]
    stream = generator.batches(0, 10**9, size=10, workers=2)
    for _ in range(5):
        next(stream)
    stream.close()
    assert len(made) <= 5 + 2 * 2 + 1
