"""The section on what is in the cell: S1, hydrogen, elements, special positions, U_iso."""

from __future__ import annotations

import pandas as pd

from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.priors.distributions.distribution import Scalar
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.figures import displacement, elements, hydrogen, packing, special_positions
from xtalpriors.reports.inputs import LARGE, SMALL, Inputs
from xtalpriors.reports.meta import Rendered, Sample, count
from xtalpriors.reports.section import Section, fit_text, render, share_text
from xtalpriors.reports.statistics import weighted_quantile

__all__ = ["contents_section"]


def contents_section(inputs: Inputs) -> Section:
    """Packing, hydrogen, elements, special positions and displacement parameters."""
    figures = [
        _packing(inputs),
        _hydrogen(inputs),
        _elements(inputs),
        _special(inputs),
        _displacement(inputs),
    ]
    return Section("contents", "Contents of the cell", figures=figures)


def _frames(inputs: Inputs, column: str) -> dict[str, pd.DataFrame]:
    """Both subsets, of the entries where a column is known."""
    parts = {name: inputs.subsets[name].frame for name in (LARGE, SMALL)}
    return {name: frame[frame[column].notna()] for name, frame in parts.items()}


def _samples(inputs: Inputs, column: str) -> list[Sample]:
    return [s.sample(s.frame[column]) for s in (inputs.large, inputs.small)]


def _uniform(prior: ScalarPrior | None) -> Uniform | None:
    form = None if prior is None else prior.parametric
    return form if isinstance(form, Uniform) else None


def _fits(inputs: Inputs, pick: str) -> dict[str, Scalar]:
    """Parametric forms by subset of the prior `pick`."""
    priors = {name: _prior(inputs.bundles.get(name), pick) for name in (LARGE, SMALL)}
    return {name: p.parametric for name, p in priors.items() if p is not None and p.parametric is not None}


def _prior(bundle: PriorBundle | None, pick: str) -> ScalarPrior | None:
    if bundle is None:
        return None
    if pick == "displacement":
        return None if bundle.priors.displacement is None else bundle.priors.displacement.mean
    return bundle.priors.packing if pick == "packing" else bundle.priors.hydrogen


def _clauses(inputs: Inputs, column: str, pick: str, unit: str, digits: int) -> str:
    """Count, median and fit of both subsets."""
    texts = []
    for name, frame in _frames(inputs, column).items():
        if frame.empty:
            texts.append(f"{name}: no structure with a value.")
            continue
        median = weighted_quantile(frame[column], 0.5, frame["weight"])
        text = f"{name}: N = {count(len(frame))}, median {median:.{digits}f} {unit}".rstrip()
        prior = _prior(inputs.bundles.get(name), pick)
        texts.append(f"{text}; {fit_text(prior)}." if prior is not None else f"{text}.")
    return " ".join(texts)


def _packing(inputs: Inputs) -> Rendered:
    column = "volume_per_non_h_atom_angstrom3"
    paper = _uniform(inputs.published.priors.packing)
    frame = packing.data(_frames(inputs, column), _fits(inputs, "packing"), paper)
    caption = _clauses(inputs, column, "packing", "Å³", 1)
    for name in (LARGE, SMALL):
        bundle = inputs.bundles.get(name)
        if bundle is not None and bundle.priors.packing is not None:
            caption += f" Within 7–22 Å³ are {share_text(bundle.priors.packing.share_7_22)} of {name}."
    meta = inputs.meta(_samples(inputs, column), "declared")
    return render(packing, "packing", "Fig. S1", "Volume per non-hydrogen atom", frame, meta, caption)


def _hydrogen(inputs: Inputs) -> Rendered:
    frames = _frames(inputs, "h_fraction")
    frame = hydrogen.data(frames, _uniform(inputs.published.priors.hydrogen))
    parts = []
    for name, entries in frames.items():
        total = float(entries["weight"].sum())
        if total == 0:
            parts.append(f"{name}: no structure whose hydrogen count is known.")
            continue
        zero = float(entries.loc[entries["h_fraction"] == 0, "weight"].sum()) / total
        inside = float(entries.loc[entries["h_fraction"].between(0.3, 0.6), "weight"].sum()) / total
        unknown = len(inputs.subsets[name].frame) - len(entries)
        more = f"; the count is not known for {count(unknown)} more" if unknown else ""
        parts.append(
            f"{name}: N = {count(len(entries))}, of which {count((entries['h_fraction'] > 0).sum())} hold "
            f"hydrogen; "
            f"over clusters {100 * zero:.1f} % hold none (not drawn) and {100 * inside:.1f} % lie within "
            f"the paper's "
            f"0.3–0.6{more}."
        )
    caption = "Structures with hydrogen, of the reconciled contents. " + " ".join(parts)
    if any(entries["entry_id"].str.startswith("amcsd:").any() for entries in frames.values()):
        caption += (
            " AMCSD often leaves hydrogen out of sites and formula alike (brucite stands there as MgO₂), "
            "so the share without it is an upper bound."
        )
    meta = inputs.meta(_samples(inputs, "h_fraction"), "no cell")
    return render(hydrogen, "hydrogen", "Eq. 19", "Mole fraction of hydrogen", frame, meta, caption)


def _elements(inputs: Inputs) -> Rendered:
    bundle = inputs.bundles.get(LARGE)
    prior = None if bundle is None else bundle.priors.elements
    frame = elements.data(prior)
    if prior is None:
        caption = f"No bundle of {LARGE} with element frequencies was given."
    else:
        sites = count(prior.general.n_sites or 0)
        special = "no special position is occupied"
        if prior.special is not None:
            special = (
                f"{share_text(prior.special.share_cno)} of {count(prior.special.n_sites or 0)} sites on "
                f"special "
                "positions (paper: 49 %)"
            )
        caption = (
            f"Independent non-hydrogen sites of {LARGE} by element; whiskers are 95 % intervals over "
            f"clusters. C, N "
            f"and O are {share_text(prior.general.share_cno)} of {sites} sites on general positions "
            f"(paper: 89 %); "
            f"{special}. The CSV holds every element."
        )
    meta = inputs.meta([inputs.large.sample()], "no cell")
    return render(
        elements, "elements", "Table S1", "Elements on general and special positions", frame, meta, caption
    )


def _special(inputs: Inputs) -> Rendered:
    small = inputs.small
    bundle = inputs.bundles.get(SMALL)
    special = None if bundle is None else bundle.priors.special_positions
    fitted = None
    if special is not None and 14 in special.groups:
        points = [s.probability for s in special.groups[14].wyckoff_sets if s.probability is not None]
        fitted = points[0].value if points else None
    frame = special_positions.data(small.frame, fitted)
    known = count(small.frame["n_special_positions"].notna().sum())
    caption = f"{SMALL}, N = {known}; whiskers are Wilson intervals over clusters. "
    if fitted is not None:
        caption += _independence(frame, fitted)
    caption += "The paper samples with p = 0.05 (81.5/17.1/1.4 %) and finds 73.5/20.1/6.4 % in COD and CSD."
    meta = inputs.meta([small.sample(small.frame["n_special_positions"])], "no cell")
    title = "Special positions occupied in P2₁/c"
    return render(special_positions, "special_positions", "Section 3.5", title, frame, meta, caption)


def _independence(frame: pd.DataFrame, fitted: float) -> str:
    """Whether independent centres give the measured share of two and more."""
    several = (
        frame[frame["occupied"] == "≥ 2"].set_index("series")[["share", "low", "high"]].astype("float64")
    )
    model = float(several["share"]["four centres, fitted p"])
    text = f"Four independent centres with the fitted p = {fitted:.3f} give {100 * model:.1f} % with "
    text += "two or more, "
    if model < float(several["low"]["this corpus"]):
        return (
            text + "fewer than measured: centres are occupied together more often than independence allows. "
        )
    if model > float(several["high"]["this corpus"]):
        return text + "more than measured. "
    return text + "within the measured interval. "


def _displacement(inputs: Inputs) -> Rendered:
    column = "u_iso_mean_angstrom2"
    published = inputs.published.priors.displacement
    paper = None if published is None else _uniform(published.mean)
    frame = displacement.data(_frames(inputs, column), _fits(inputs, "displacement"), paper)
    caption = (
        f"Non-hydrogen sites with a positive, not riding value. "
        f"{_clauses(inputs, column, 'displacement', 'Å²', 4)} "
        "Right: standard deviation within a structure; the paper adds U(−0.005; 0.005) Å² to each atom, "
        "which is "
        "an s.d. of 0.0029 Å²."
    )
    meta = inputs.meta(_samples(inputs, column), "no cell")
    return render(
        displacement, "displacement", "Fig. S2", "Mean displacement parameter", frame, meta, caption
    )
