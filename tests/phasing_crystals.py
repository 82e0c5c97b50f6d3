"""Crystals for the tests of phasing: CIF text in P2₁/c and P2₁/n, and networks that know the answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.mining.cif import extract
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.phai import NetworkSize, PhAI
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.read_structures import structures_of_rows
from xtalpriors.model.scoring.structures import ExperimentalStructures

P21C = SpaceGroup.from_number(14)
CELL = (5.91, 7.23, 8.64, 98.7)  # a, b, c, β of P2₁/c
ATOMS = (
    # label, element, x, y, z, U_iso, occupancy
    ("Cl1", "Cl", 0.2134, 0.1327, 0.3412, "0.031", 1.0),
    ("O1", "O", 0.6521, 0.4012, 0.1723, "0.042", 1.0),
    ("N1", "N", 0.4189, 0.3561, 0.6214, "?", 0.75),
    ("C1", "C", 0.8042, 0.2236, 0.4187, "0.036", 1.0),
    ("C2", "C", 0.1237, 0.4873, 0.0871, "0.028", 1.0),
    ("H1", "H", 0.9011, 0.3342, 0.2265, "0.055", 1.0),
    ("Fe1", "Fe", 0.5, 0.0, 0.5, "0.019", 1.0),  # on an inversion centre
)
OPERATORS = {
    "P 1 21/c 1": ("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2"),
    "P 1 21/n 1": ("x,y,z", "-x+1/2,y+1/2,-z+1/2", "-x,-y,-z", "x+1/2,-y+1/2,z+1/2"),
}


def cif_text(setting: str = "P 1 21/c 1", name: str = "made") -> str:
    """The crystal in P2₁/c, or in P2₁/n with a′ = a, b′ = −b, c′ = −(a + c): x′ = x − z, y′ = −y, z′ = −z."""
    a, b, c, beta = CELL
    atoms = [list(atom) for atom in ATOMS]
    if setting == "P 1 21/n 1":
        cosine = np.cos(np.radians(beta))
        longer = np.sqrt(a * a + c * c + 2 * a * c * cosine)
        beta = float(np.degrees(np.arccos(-(a * a + a * c * cosine) / (a * longer))))
        c = float(longer)
        for atom in atoms:
            x, y, z = atom[2:5]
            atom[2:5] = [x - z, -y, -z]
    lines = [f"data_{name}", f"_space_group_name_H-M_alt '{setting}'"]
    for tag, value in zip(
        ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"),
        (a, b, c, 90.0, beta, 90.0),
        strict=True,
    ):
        lines.append(f"_cell_{tag} {value:.9f}")
    lines += ["loop_", "_space_group_symop_operation_xyz", *(f"'{o}'" for o in OPERATORS[setting]), "loop_"]
    columns = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv", "occupancy")
    lines += [f"_atom_site_{column}" for column in columns]
    lines += [
        f"{label} {element} {x:.9f} {y:.9f} {z:.9f} {u} {occupancy}"
        for label, element, x, y, z, u, occupancy in atoms
    ]
    return "\n".join([*lines, ""])


def structures(*texts: str) -> ExperimentalStructures:
    """CIF texts described in P2₁/c, each a file of its own."""
    items = [(f"{i}.cif", text.encode()) for i, text in enumerate(texts)]
    found = extract("made", None, "original", items)
    return structures_of_rows([(found.entries, found.sites, "made")])


def write_cif(folder: Path, setting: str = "P 1 21/c 1") -> Path:
    path = folder / "made.cif"
    path.write_text(cif_text(setting), encoding="utf-8")
    return path


def small_size(reflections: Reflections) -> NetworkSize:
    return NetworkSize(
        box=reflections.box.shape,
        n_reflections=len(reflections.hkl),
        filters=4,
        kernel=1,
        residual_blocks=1,
        token_width=16,
        channel_hidden=16,
        token_hidden=16,
        mixer_blocks=1,
    )


def card_of(reflections: Reflections) -> ModelCard:
    size = small_size(reflections)
    return ModelCard(
        name="made",
        size=size,
        parameters=1,
        space_group=str(reflections.group.hm),
        max_index=reflections.max_index,
    )


def untrained(reflections: Reflections, seed: int = 0) -> PhAI:
    torch.manual_seed(seed)
    return PhAI(small_size(reflections)).eval()


class Oracle(PhAI):
    """Gives the same phases (N,) to every structure, whatever it is shown."""

    def __init__(self, reflections: Reflections, positive: npt.NDArray[np.bool_]) -> None:
        super().__init__(small_size(reflections))
        self.answer = torch.from_numpy(np.where(positive, 5.0, -5.0)).float()

    def forward(self, amplitudes: Tensor, phases_degree: Tensor) -> Tensor:
        one = torch.stack([-self.answer, self.answer])
        return one.expand(len(amplitudes), 2, -1)
