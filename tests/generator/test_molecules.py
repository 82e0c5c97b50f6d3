"""Libraries of molecules: the rules, conformers against known bond lengths, files, and bad SMILES."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.molecules.conformers import conformer
from xtalpriors.generator.molecules.library import SHIPPED, Conformer, Library, library_of, read_library
from xtalpriors.generator.molecules.library import write_shard as write
from xtalpriors.generator.molecules.make import make_library
from xtalpriors.generator.molecules.rules import FORBIDDEN, broken_rule

Chem = pytest.importorskip("rdkit.Chem", reason="the extra `molecules` (RDKit) is not installed")

ANY = (1, 13)

ALLOWED = [
    "c1ccccc1",
    "CC(=O)O",
    "NCC(=O)O",
    "CC(=O)Nc1ccccc1",
    "Clc1ccccc1",
    "c1ccsc1",
    "CS(=O)(=O)N",
    "NC(N)=S",
    "O=[N+]([O-])c1ccccc1",
    "CC=NO",
    "N#CCO",
    "C1CCC2CCCCC2C1",
    "CN1C=NC2=C1C(=O)N(C)C(=O)N2C",
]
BROKEN = {
    "C=C=C": "an allene or a cumulene",
    "CC(O)=C": "an enol, a thioenol or an iminol",
    "CN(C)C=C": "an enamine",
    "OC#C": "an ynol or an ynamine",
    "CC(O)O": "a gem-diol, a hemiacetal, an aminal",
    "COC(C)OC": "two oxygen atoms or nitrogen and oxygen atoms on one saturated carbon",
    "COOC": "a peroxide",
    "CNN": "oxygen or nitrogen bonded to saturated nitrogen",
    "C1CNO1": "a ring with a single bond between heteroatoms",
    "CN=NC": "an azo, a diazo or a nitroso group",
    "CC(=O)Cl": "an acid chloride or an anhydride",
    "NC(=O)O": "a carbamic acid or a carbonic acid",
    "CCCl": "chlorine on an atom that is not aromatic",
    "CS": "sulfur outside aromatic rings, sulfones, sulfonamides, thioureas",
    "CS(C)=O": "sulfur outside aromatic rings, sulfones, sulfonamides, thioureas",
    "CC=N": "an imine without substituent on nitrogen",
    "C1=CC1": "a double or a triple bond in a ring of three or four atoms",
    "C1CCCCC#C1": "a triple bond in a ring",
    "C1C2CC12": "three-membered rings that share an edge",
    "C=C1CC1": "a double bond outside a three-membered ring",
    "CC(=O)[O-]": "a charge other than in a nitro group",
    "C1CC2CCC1=C2": "a double bond at a bridgehead",
    "CF": "the element F",
}


def test_molecules_of_gdb_13_keep_the_rules_and_others_break_the_one_that_is_named() -> None:
    assert {s: broken_rule(Chem.MolFromSmiles(s)) for s in ALLOWED} == dict.fromkeys(ALLOWED)
    assert {s: broken_rule(Chem.MolFromSmiles(s)) for s in BROKEN} == BROKEN
    assert len(FORBIDDEN) == 21 and set(FORBIDDEN) - set(BROKEN.values()) == {
        "carbon with two ring double bonds"  # an allene in a ring, which the rule of allenes finds first
    }


def test_benzene_has_the_bonds_of_benzene() -> None:
    """Electron diffraction: C–C 1.399 Å, C–H 1.101 Å (Tamagawa et al. 1976); all twelve atoms in a plane."""
    benzene = conformer("c1ccccc1", ANY)
    assert isinstance(benzene, Conformer) and benzene.smiles == "c1ccccc1"
    xyz = benzene.xyz / 1000.0
    distances = np.sqrt(((xyz[:, None] - xyz) ** 2).sum(axis=2))
    carbon = benzene.element == 6
    bonds = np.sort(distances[np.ix_(carbon, carbon)], axis=1)[:, 1:3]
    assert np.allclose(bonds, 1.399, atol=0.01)
    assert np.allclose(np.sort(distances[np.ix_(~carbon, carbon)], axis=1)[:, 0], 1.10, atol=0.02)
    assert np.linalg.svd(xyz)[1][2] < 0.01
    assert benzene.volume_angstrom3 == pytest.approx(84, abs=5)  # Bondi 1964: 48.4 cm³/mol = 80.4 Å³


def test_shipped_molecules_are_valid_and_of_the_size_of_gdb_13() -> None:
    library = read_library(SHIPPED)
    assert len(library) >= 1000 and len(set(library.smiles)) == len(library)
    assert library.n_heavy.min() <= 3 and library.n_heavy.max() == 13
    for k in range(0, len(library), 5):
        smiles = library.smiles[k]
        molecule = Chem.MolFromSmiles(smiles)
        assert broken_rule(molecule) is None, smiles
        full = Chem.AddHs(molecule)
        elements = library.element[library.offsets[k] : library.offsets[k + 1]]
        assert sorted(elements) == sorted(a.GetAtomicNum() for a in full.GetAtoms()), smiles


def test_the_same_seed_draws_the_same_molecules(tmp_path: Path) -> None:
    reports = [
        make_library(tmp_path / f"{k}.parquet", count=6, heavy_atoms=(2, 4), seed=seed)
        for k, seed in enumerate((3, 3, 4))
    ]
    one, again, other = (read_library(r.output) for r in reports)
    assert reports[0].n_molecules == len(one) == 6
    assert one.digest == again.digest != other.digest
    assert set(one.n_heavy.tolist()) <= {2, 3, 4}


SMILES = """CCO ethanol
c1ccccc1

not-a-molecule
C1CC
CCO.O
[Na+]
CCCCCCCCCCCCCCCC
C12C3C4C1C5C2C3C45
\xff\xfe
"""


def test_smiles_that_give_no_molecule_are_counted_with_the_reason(tmp_path: Path) -> None:
    source = tmp_path / "mine.smi"
    source.write_text(SMILES + "C" * 200_000 + "\n", encoding="latin-1")
    report = make_library(tmp_path / "mine", smiles=source)
    assert report.n_molecules == 3
    assert dict(report.left_out) == {
        "no valid SMILES": 3,
        "more than one molecule": 1,
        "elements other than C, Cl, H, N, O, S": 1,
        "not 1 to 13 non-hydrogen atoms": 1,
        "longer than 1000 characters": 2,
    }
    assert "left out: 3, no valid SMILES" in str(report)
    again = make_library(tmp_path / "mine", smiles=source)
    assert again.n_resumed == 3 and again.left_out == {}
    source.write_text("CCO\n")
    with pytest.raises(UsageError, match="another file of SMILES"):
        make_library(tmp_path / "mine", smiles=source)


def test_what_cannot_be_embedded_is_said() -> None:
    """Norbornane with the bridge across its two far sides: a stereoisomer that no geometry has."""
    assert conformer("C1C[C@@H]2CC[C@@H]1C2", ANY) == "cannot be embedded"
    assert isinstance(conformer("C1C[C@H]2CC[C@@H]1C2", ANY), Conformer)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), ("\n \n", "is empty"), ("xyz\nC1CC\n", r"gave a molecule \(2, no valid SMILES\)")],
)
def test_a_file_without_a_molecule_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    source = tmp_path / "a.smi"
    source.write_text(text)
    with pytest.raises(XtalpriorsError, match=words):
        make_library(tmp_path / "out.parquet", smiles=source)
    assert not (tmp_path / "out.parquet").exists()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A stray byte of it may read as `N`."""
    source = tmp_path / "a.smi"
    source.write_bytes(b"N\nPAR1\0\1\nC\n")
    with pytest.raises(XtalpriorsError, match=r"a\.smi is no text"):
        make_library(tmp_path / "out.parquet", smiles=source)
    assert not (tmp_path / "out.parquet").exists()


def test_wrong_use_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(XtalpriorsError, match="cannot be read"):
        make_library(tmp_path / "a", smiles=tmp_path / "missing.smi")
    with pytest.raises(UsageError, match="--count"):
        make_library(tmp_path / "a")
    with pytest.raises(UsageError, match="1 to 50"):
        make_library(tmp_path / "a", count=1, heavy_atoms=(5, 2))
    (tmp_path / "mine.parquet").write_text("my own")
    with pytest.raises(UsageError, match="left as it is"):
        make_library(tmp_path / "mine.parquet", count=1)


def test_without_rdkit_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(XtalpriorsError, match=r"pip install 'xtalpriors\[molecules\]'"):
        make_library(tmp_path / "a", count=1)
    assert len(library_of(None)) >= 1000  # the shipped one needs none


def _water(x: int = 0) -> Conformer:
    xyz = np.array([[x, 0, 0], [x + 960, 0, 0], [x - 240, 930, 0]], np.int16)
    return Conformer("O", np.array([8, 1, 1], np.uint8), xyz, 20.0)


def test_a_library_is_its_content_and_not_its_order(tmp_path: Path) -> None:
    methane = Conformer("C", np.array([6, 1], np.uint8), np.zeros((2, 3), np.int16), 28.0)
    one, other = Library.of([_water(), methane]), Library.of([methane, _water()])
    assert one.digest == other.digest != Library.of([_water(1), methane]).digest
    assert Library.of([_water(), methane, _water()]).digest == one.digest
    (tmp_path / "lib").mkdir()
    for k, molecule in enumerate((_water(), methane)):
        write(tmp_path / "lib" / f"molecules-{k:06d}.parquet", [molecule], {})
    assert read_library(tmp_path / "lib").digest == one.digest


def test_damaged_and_missing_libraries_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with pytest.raises(UsageError, match=r"There is no library .* `xtalpriors molecules .*that ships"):
        read_library(path)
    path.write_bytes(SHIPPED.read_bytes()[:5000])
    with pytest.raises(XtalpriorsError, match=r"a\.parquet is damaged: .*Copy it again"):
        read_library(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty is a folder without files molecules"):
        read_library(tmp_path / "empty")
    path.write_text("name,smiles\n", encoding="utf-8")  # of the user's: not to be deleted
    with pytest.raises(XtalpriorsError, match="and not a library of molecules: give the file that") as error:
        read_library(path)
    assert "elete" not in str(error.value)
    path.unlink()
    write(path, [_water()._replace(element=np.array([1, 1, 1], np.uint8))], {})
    with pytest.raises(XtalpriorsError, match="no non-hydrogen atom"):
        read_library(path)


def test_a_damaged_library_of_the_package_is_not_to_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shipped.parquet"
    path.write_bytes(SHIPPED.read_bytes()[:5000])
    monkeypatch.setattr("xtalpriors.generator.molecules.library.SHIPPED", path)
    with pytest.raises(XtalpriorsError, match=r"is damaged: .* Install xtalpriors again\.$"):
        library_of(None)
