"""Which molecules a library holds: the published rules of GDB-13, as far as its paper gives them.

Blum & Reymond, J. Am. Chem. Soc. 131 (2009) 8732, doi 10.1021/ja902302h, after GDB-11 (Fink & Reymond, J.
Chem. Inf. Model. 47 (2007) 342, doi 10.1021/ci600423u): C, N, O, S and Cl, no strained ring systems, no
unstable or very reactive groups; sulfur in aromatic rings, sulfones, sulfonamides and thioureas, chlorine on
aromatic atoms. The patterns are ours: the papers give the rules in words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

__all__ = ["ELEMENTS", "FORBIDDEN", "broken_rule"]

ELEMENTS: Final = frozenset({"H", "C", "N", "O", "S", "Cl"})

FORBIDDEN: Final = {
    "a charge other than in a nitro group": "[!+0;!$([N+](=O)[O-]);!$([O-][N+]=O)]",
    "an allene or a cumulene": "*=[#6]=*",
    "an enol, a thioenol or an iminol": "[OX2H,SX2H][CX3;!a]=[CX3,NX2;!a]",
    "an ynol or an ynamine": "[OX2,NX3;!a]C#C",
    "an enamine": "[NX3;H1,H2,H0;!$(N[C,S]=[O,S,N]);!a][CX3;!a]=[CX3;!a]",
    "a gem-diol, a hemiacetal, an aminal": "[CX4]([OX2,NX3])[OX2H,NX3H,NX3H2]",
    "two oxygen atoms or nitrogen and oxygen atoms on one saturated carbon": "[CX4]([OX2,NX3])([OX2,NX3])",
    "a peroxide": "[OX2][OX2]",
    "oxygen or nitrogen bonded to saturated nitrogen": "[NX3;!a;!$(N=*)]-;!@[NX3,OX2;!a]",
    "a ring with a single bond between heteroatoms": "[N,O;!a]-;@[N,O;!a]",
    "an azo, a diazo or a nitroso group": "[NX2]=[NX2,NX1,OX1]",
    "an acid chloride or an anhydride": "[$([CX3](=O)Cl),$([CX3](=O)[OX2][CX3]=O)]",
    "a carbamic acid or a carbonic acid": "[OX2H]C(=O)[O,N]",
    "chlorine on an atom that is not aromatic": "[Cl;!$(Cl-c)]",
    "sulfur outside aromatic rings, sulfones, sulfonamides, thioureas": (
        "[#16;!s;!$(S(=O)(=O)([#6,#7])[#6]);!$(S=C([#7])[#7])]"
    ),
    "an imine without substituent on nitrogen": "[CX3;!a]=[NX2H1;!$(N=C([#7])[#6,#7])]",
    "a double or a triple bond in a ring of three or four atoms": "[r3,r4]=,#[r3,r4]",
    "a triple bond in a ring": "*#;@*",
    "carbon with two ring double bonds": "[R]=[CR]=[R]",
    "three-membered rings that share an edge": "[r3;R2]@[r3;R2]",
    "a double bond outside a three-membered ring": "[r3]=;!@*",
}
"""SMARTS pattern of each group that no molecule has, by what a person calls it."""


@lru_cache(maxsize=1)
def _patterns() -> dict[str, Any]:
    from rdkit import Chem

    patterns = {name: Chem.MolFromSmarts(text) for name, text in FORBIDDEN.items()}
    assert all(p is not None for p in patterns.values()), "a pattern is no SMARTS"
    return patterns


def broken_rule(molecule: Any) -> str | None:
    """The first rule that an RDKit molecule breaks, in words; None where it keeps all of them."""
    for atom in molecule.GetAtoms():
        if atom.GetSymbol() not in ELEMENTS:
            return f"the element {atom.GetSymbol()}"
    for name, pattern in _patterns().items():
        if molecule.HasSubstructMatch(pattern):
            return name
    if _bridgehead_unsaturated(molecule):
        return "a double bond at a bridgehead"
    return None


def _bridgehead_unsaturated(molecule: Any) -> bool:
    """Is an atom of three small rings, or of two that share more than an edge, unsaturated (Bredt's rule)?"""
    from rdkit import Chem

    rings = [set(ring) for ring in molecule.GetRingInfo().AtomRings() if len(ring) < 8]
    for k, one in enumerate(rings):
        for other in rings[:k]:
            shared = one & other
            if len(shared) <= 2:
                continue
            for number in shared:
                atom = molecule.GetAtomWithIdx(number)
                inside = sum(n.GetIdx() in one | other for n in atom.GetNeighbors())
                if inside > 2 and atom.GetHybridization() != Chem.HybridizationType.SP3:
                    return True
    return False
