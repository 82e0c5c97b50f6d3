"""Makes `melgalvis-2026.json`: Melgalvis & Reķis (2026), Acta Cryst. A82, doi 10.1107/S2053273325009428.

Run `python -m xtalpriors.priors.published.make` after a change here; `--elements BUNDLE` takes the
split of the element shares, which the paper's text does not give, from another fitted bundle.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy import stats

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.counted import counted
from xtalpriors.outputs import FileKind, json_with
from xtalpriors.priors.bundle import (
    ELEMENT_COUNTS,
    CreatedFrom,
    PriorBundle,
    Priors,
    load_bundle,
    make_bundle,
    save_bundle,
)
from xtalpriors.priors.distributions.distribution import (
    Categorical,
    Constant,
    Counts,
    LogNormal,
    Uniform,
    fixed,
)
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.kinds.axis_ratio import AxisRatio
from xtalpriors.priors.kinds.cell_volume import CellVolume
from xtalpriors.priors.kinds.diffraction import Diffraction
from xtalpriors.priors.kinds.displacement import Displacement
from xtalpriors.priors.kinds.elements import Elements, ElementShares
from xtalpriors.priors.kinds.hydrogen import Hydrogen
from xtalpriors.priors.kinds.monoclinic_angle import MonoclinicAngle, MonoclinicConvention
from xtalpriors.priors.kinds.packing import Packing
from xtalpriors.priors.kinds.special_positions import SpecialPositions, SpecialPositionsOfGroup, WyckoffSet

__all__ = ["melgalvis_2026"]

DOI = "10.1107/S2053273325009428"
FOLDER = Path(__file__).resolve().parent
CNO = ("C", "N", "O")


def melgalvis_2026(element_counts: dict[str, dict[str, float]], counts_source: str) -> PriorBundle:
    """The bundle of the paper's numbers, each with its place.

    Parameters
    ----------
    element_counts : dict
        `general` and `special`: sites by element, for the split within C, N, O and within the other elements.
    counts_source : str
        What was counted.
    """
    priors = Priors(
        cell_volume=_cell_volume(),
        axis_ratio=AxisRatio(
            ratio_max=1.8,
            length_min_angstrom=4.0,
            length_max_angstrom=10.0,
            source=f"doi {DOI}: r after eq. 13; bounds of Fig. 1, left, and of Tables 1 and 2 (4–10 Å)",
        ),
        monoclinic_angle=_monoclinic_angle(),
        elements=_elements(element_counts, counts_source),
        special_positions=_special_positions(),
        displacement=_displacement(),
        packing=Packing(
            unit="Å³",
            convention="average volume of the cell per non-hydrogen atom",
            parametric=Uniform(low=7.0, high=22.0),
            source=f"doi {DOI}: before eq. 18",
        ),
        hydrogen=Hydrogen(
            unit="1",
            convention="mole fraction of hydrogen among all atoms",
            parametric=Uniform(low=0.3, high=0.6),
            source=f"doi {DOI}: before eq. 19",
        ),
        diffraction=_diffraction(),
    )
    no_rate = (
        "the paper says that it is exponential but not with which rate; its lengths are uniform in eqs 11–13"
    )
    unavailable = {
        "axis_ratio.middle_over_shortest": no_rate,
        "axis_ratio.longest_over_middle": no_rate,
        "monoclinic_angle.least_oblique": "the paper uses cells as declared",
        "triclinic_skew": "eq. 17 names the skews s₂ and s₃ without a distribution",
        "space_groups": "the paper generates P2₁/c only",
        "distances": "Fig. 4 is a plot without numbers",
        "cell": "the paper draws volume, lengths and angle one after the other",
        "contents": "the paper draws each element on its own",
        "bonds": "the paper has one rule for all pairs of elements",
        "coordination": "the paper has no limit on the bonds of an atom, and no angles",
    }
    return make_bundle(
        "melgalvis-2026",
        CreatedFrom(corpus="Melgalvis & Reķis (2026), Acta Cryst. A82", doi=DOI),
        priors,
        unavailable=unavailable,
    )


def _cell_volume() -> CellVolume:
    return CellVolume(
        unit="Å³",
        convention="P2₁/c in any setting, 4 Å ≤ declared lengths ≤ 10 Å; 0.394 is σ of ln V, not σ²",
        parametric=LogNormal(mu=fixed(6.04), sigma=fixed(0.394)),
        uniform_low_angstrom3=160.0,
        uniform_high_angstrom3=1000.0,
        source=f"doi {DOI}: headers of Tables 1 and 2, Lognorm(6.04; 0.394) and U(160 Å³; 1000 Å³)",
    )


def _monoclinic_angle() -> MonoclinicAngle:
    skew = ScalarPrior(
        unit="1",
        convention="|s₃| = tan(β − 90°), before the bound on the skewed length (eq. 15)",
        parametric=Uniform(low=0.0, high=float(np.tan(np.radians(125.0 - 90.0)))),
        source=f"doi {DOI}: eqs 14 and 15, β_max = 125° after eq. 15",
    )
    return MonoclinicAngle(
        declared=MonoclinicConvention(beta_max_degree=125.0, skew=skew), source=skew.source
    )


def _elements(counts: dict[str, dict[str, float]], counts_source: str) -> Elements:
    return Elements(
        convention=(
            "share of C + N + O from the paper's text; its split, and that of the remainder, "
            f"from {counts_source}, because Table S1 is not part of the text"
        ),
        general=_shares(counts["general"], 0.89),
        special=_shares(counts["special"], 0.49),
        source=f"doi {DOI}: section 3.5, 89 % (general) and 49 % (special); the split: {counts_source}",
    )


def _shares(counts: dict[str, float], share_cno: float) -> ElementShares:
    """Shares in which C, N, O have `share_cno` together and each side keeps its own proportions."""
    light = sum(n for e, n in counts.items() if e in CNO)
    heavy = sum(n for e, n in counts.items() if e not in CNO)
    shares = {
        e: (share_cno * n / light if e in CNO else (1 - share_cno) * n / heavy) for e, n in counts.items()
    }
    order = sorted(shares, key=lambda e: (-shares[e], e))
    return ElementShares(
        per_site=Categorical(labels=tuple(order), shares=tuple(fixed(shares[e]) for e in order)),
        share_cno=fixed(share_cno),
    )


def _special_positions() -> SpecialPositions:
    probability, n_positions = 0.05, 4
    occupied = stats.binom.pmf(np.arange(n_positions + 1), n_positions, probability)
    source = f"doi {DOI}: section 3.5, p = 0.05 for each inversion centre of P2₁/c"
    p21c = SpecialPositionsOfGroup(
        number=14,
        wyckoff_sets=(
            WyckoffSet(
                letters=("a", "b", "c", "d"),
                multiplicity=2,
                degrees_of_freedom=0,
                n_positions=n_positions,
                probability=fixed(probability),
            ),
        ),
        number_occupied=Counts(probabilities=tuple(fixed(float(p)) for p in occupied)),
        source=source,
    )
    return SpecialPositions(
        convention=(
            "each inversion centre occupied independently: 81.4 / 17.2 / 1.4 % with 0 / 1 / more "
            "(the paper counts 73.5 / 20.1 / 6.4 % in the databases)"
        ),
        groups={14: p21c},
        source=source,
    )


def _displacement() -> Displacement:
    source = f"doi {DOI}: after eq. 19"
    return Displacement(
        mean=ScalarPrior(
            unit="Å²",
            convention="U_iso of a structure, before the deviation of each atom",
            parametric=Uniform(low=0.01, high=0.1),
            source=source,
        ),
        deviation=ScalarPrior(
            unit="Å²",
            convention="deviation of each atom from U_iso of its structure",
            parametric=Uniform(low=-0.005, high=0.005),
            source=source,
        ),
        source=source,
    )


def _diffraction() -> Diffraction:
    source = f"doi {DOI}: section 2, fixed resolution and full completeness"
    return Diffraction(
        d_min=ScalarPrior(unit="Å", convention="resolution", parametric=Constant(value=1.0), source=source),
        completeness=ScalarPrior(
            unit="1", convention="share of unique reflections", parametric=Constant(value=1.0), source=source
        ),
        source=source,
    )


def counts_of_bundle(bundle: PriorBundle) -> dict[str, dict[str, float]]:
    """Element shares of a fitted bundle, as weights of the split."""
    elements: Elements = bundle.require("elements")
    if elements.special is None:
        raise ValueError(f"bundle {bundle.name!r} has no elements on special positions")
    tables = {"general": elements.general.per_site, "special": elements.special.per_site}
    return {k: dict(zip(t.labels, t.probabilities.tolist(), strict=True)) for k, t in tables.items()}


def main() -> None:
    """Write `melgalvis-2026.json`, and `element-counts.json` where another bundle is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=Path, help="fitted bundle whose element shares give the split")
    given: Path | None = parser.parse_args().elements
    counts_file = FOLDER / ELEMENT_COUNTS
    kind = FileKind("the counts of elements", json_with("general", "special", "source"))
    if given is not None:
        bundle = load_bundle(given)
        structures = bundle.created_from.structures
        counts = f"{counted(structures, 'structure')}, " if structures is not None else ""
        source = (
            f"this pipeline's corpus {bundle.created_from.corpus!r}, subset {bundle.name} "
            f"({counts}priors {bundle.priors_digest})"
        )
        write_text(
            counts_file,
            canonical_json(counts_of_bundle(bundle) | {"source": source}, indent=1) + "\n",
            kind,
        )
    counts = json.loads(counts_file.read_text(encoding="utf-8"))
    save_bundle(melgalvis_2026(counts, counts["source"]), FOLDER / "melgalvis-2026.json")


if __name__ == "__main__":
    main()
