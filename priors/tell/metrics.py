"""Flat numbers and tables of a bundle for `dvc metrics` and `dvc plots`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xtalpriors.atomic import write_text
from xtalpriors.canonical import SIGNIFICANT_DIGITS, canonical_json
from xtalpriors.errors import XtalpriorsError
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Categorical, Constant, Empirical
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.tables import write_csv

__all__ = ["metrics", "plots", "write_metrics", "write_plots", "write_tables"]

BINS = 40
PLOTTED = {
    "volume": "cell_volume",
    "ratio_middle_over_shortest": "axis_ratio.middle_over_shortest",
    "ratio_longest_over_middle": "axis_ratio.longest_over_middle",
    "longest_length": "axis_ratio.longest",
    "monoclinic_angle": "monoclinic_angle.declared.beta",
    "monoclinic_skew": "monoclinic_angle.declared.skew",
    "u_iso_mean": "displacement.mean",
    "volume_per_atom": "packing",
    "hydrogen_fraction": "hydrogen",
    "d_min": "diffraction.d_min",
}
"""Name of the table, and the prior that it draws."""
SHARES = {
    "elements_general": "elements.general.per_site",
    "elements_special": "elements.special.per_site",
    "space_groups": "space_groups.numbers",
}
HEADLINES: dict[str, tuple[str, ...]] = {
    "cell_volume": ("n", "mu", "sigma"),
    "axis_ratio": ("longest_over_middle.rate", "middle_over_shortest.rate"),
    "monoclinic_angle": ("declared.beta.median", "least_oblique.beta.median"),
    "elements": ("general.share_cno", "special.share_cno"),
    "special_positions": ("p21c.none", "p21c.probability"),
    "displacement": ("mean.median",),
    "packing": ("median",),
    "hydrogen": ("share_zero",),
}
"""What fits the width of a terminal; `xtalpriors priors show` has every number."""


def metrics(bundle: PriorBundle) -> dict[str, dict[str, float]]:
    """The headline numbers of the priors, nested by prior: what `dvc metrics show` and `diff` print."""
    found: dict[str, dict[str, float]] = {}
    for name, keys in HEADLINES.items():
        prior = getattr(bundle.priors, name)
        if prior is not None:
            summary = prior.summary()
            found[name] = {key: summary[key] for key in keys if key in summary}
    return found


def plots(bundle: PriorBundle) -> dict[str, list[dict[str, Any]]]:
    """Tables by name: densities of the values and of the fit by bin, and shares with their limits."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for table, path in PLOTTED.items():
        prior = _at(bundle, path)
        if isinstance(prior, ScalarPrior):
            tables[table] = _densities(prior)
    for table, path in SHARES.items():
        shares = _at(bundle, path)
        if isinstance(shares, Categorical):
            tables[table] = [
                {"label": label, "share": s.value, "low": s.low, "high": s.high}
                for label, s in zip(shares.labels, shares.shares, strict=True)
            ]
    return tables


def write_metrics(bundle: PriorBundle, path: Path) -> None:
    """Write `metrics(bundle)` as JSON."""
    write_text(path, canonical_json(metrics(bundle), indent=1) + "\n")


def write_plots(bundle: PriorBundle, folder: Path) -> list[Path]:
    """Write each table of `plots(bundle)` as `NAME.csv`; returns the files."""
    written = []
    for name, rows in plots(bundle).items():
        path = Path(folder) / f"{name}.csv"
        write_csv(path, rows, list(rows[0]), SIGNIFICANT_DIGITS)
        written.append(path)
    return written


def write_tables(bundle: PriorBundle, output: Path) -> None:
    """Write metrics and plots of the bundle `NAME.json` beside it, as `NAME.metrics.json` and `NAME.plots/`.

    Raises
    ------
    XtalpriorsError
        A file cannot be written.
    """
    stem = output.name.removesuffix(".json")
    try:
        write_metrics(bundle, output.with_name(f"{stem}.metrics.json"))
        folder = output.with_name(f"{stem}.plots")
        written = set(write_plots(bundle, folder))
        if folder.is_dir():
            for stale in set(folder.glob("*.csv")) - written:
                stale.unlink()
    except OSError as error:
        raise XtalpriorsError(
            f"cannot write the metrics of {output}: {error.strerror or error}. The bundle itself is written."
        ) from error


def _at(bundle: PriorBundle, path: str) -> Any:
    value: Any = bundle.priors
    for part in path.split("."):
        value = getattr(value, part, None)
    return value


def _densities(prior: ScalarPrior) -> list[dict[str, Any]]:
    """Density of the values and of the fit in bins between the 0.1 % and 99.9 % quantiles."""
    reference = prior.distribution("empirical" if prior.empirical else None)
    low, high = reference.quantile([0.001, 0.999])
    if isinstance(reference, Constant) or not high > low:
        return [{"x": float(low), "values": 1.0 if prior.empirical else None, "fit": None}]
    edges = np.linspace(low, high, BINS + 1)
    centre = 0.5 * (edges[1:] + edges[:-1])

    def density(form: Any) -> list[float | None]:
        return (np.diff(form.cdf(edges)) / np.diff(edges)).tolist() if form is not None else [None] * BINS

    values = density(prior.empirical if isinstance(prior.empirical, Empirical) else None)
    columns = zip(centre.tolist(), values, density(prior.parametric), strict=True)
    return [{"x": x, "values": v, "fit": f} for x, v, f in columns]
