"""Flat numbers and tables of a bundle for `dvc metrics` and `dvc plots`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import SIGNIFICANT_DIGITS, canonical_json
from xtalpriors.counted import counted
from xtalpriors.outputs import FileKind, read_object
from xtalpriors.priors.bundle import PriorBundle, Priors
from xtalpriors.priors.distributions.distribution import Categorical, Constant, Empirical
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.write_tables import csv_text
from xtalpriors.written_folder import check_written_folder, write_folder

__all__ = [
    "METRICS",
    "check_plots",
    "metrics",
    "metrics_path",
    "plots",
    "write_metrics",
    "write_plots",
    "write_tables",
]

METRICS = FileKind(
    "the metrics of a bundle", lambda path: read_object(path).keys() <= Priors.model_fields.keys()
)

BINS = 40
BARS = 20
"""Labels of a bar chart that can be read; what is rarer is added up."""
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
HEADLINES = {
    "cell_volume": {"n": "n", "mu": "parametric.mu", "sigma": "parametric.sigma"},
    "axis_ratio": {
        "longest_over_middle.rate": "longest_over_middle.parametric.rate",
        "middle_over_shortest.rate": "middle_over_shortest.parametric.rate",
    },
    "monoclinic_angle": {
        "declared.beta.median": "declared.beta.median",
        "least_oblique.beta.median": "least_oblique.beta.median",
    },
    "elements": {"general.share_cno": "general.share_cno", "special.share_cno": "special.share_cno"},
    "special_positions": {
        "p21c.none": "groups.14.number_occupied.probabilities.0",
        "p21c.probability": "groups.14.wyckoff_sets.0.probability",
    },
    "displacement": {"mean.median": "mean.median"},
    "packing": {"median": "median"},
    "hydrogen": {"share_zero": "share_zero"},
}
"""Numbers that fit the width of a terminal: by prior, name and place; `xtalpriors priors show` has all."""


def metrics(bundle: PriorBundle) -> dict[str, dict[str, float]]:
    """The headline numbers of the priors, nested by prior: what `dvc metrics show` and `diff` print."""
    found: dict[str, dict[str, float]] = {}
    for name, places in HEADLINES.items():
        prior = getattr(bundle.priors, name)
        if prior is not None:
            values = {key: _at(prior, place) for key, place in places.items()}
            numbers = {k: v.value if isinstance(v, Estimate) else v for k, v in values.items()}
            found[name] = {key: number for key, number in numbers.items() if number is not None}
    return found


def plots(bundle: PriorBundle) -> dict[str, list[dict[str, Any]]]:
    """Tables by name: densities of the values and of the fit by bin, and shares with their limits."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for table, path in PLOTTED.items():
        prior = _at(bundle.priors, path)
        if isinstance(prior, ScalarPrior):
            tables[table] = _densities(prior)
    for table, path in SHARES.items():
        shares = _at(bundle.priors, path)
        if isinstance(shares, Categorical):
            tables[table] = _bars(shares)
    return tables


def write_metrics(bundle: PriorBundle, path: Path) -> None:
    """Write `metrics(bundle)` as JSON."""
    write_text(path, canonical_json(metrics(bundle), indent=1) + "\n", METRICS)


def write_plots(bundle: PriorBundle, folder: Path) -> list[Path]:
    """Write each table of `plots(bundle)` as `NAME.csv`, in the place of earlier ones; returns the files."""
    texts = {
        f"{name}.csv": csv_text(rows, list(rows[0]), SIGNIFICANT_DIGITS)
        for name, rows in plots(bundle).items()
    }
    write_folder(folder, texts, _of_earlier_version)
    return [folder / name for name in texts]


def metrics_path(bundle: Path) -> Path:
    """`NAME.json` has `NAME.metrics.json`."""
    return bundle.with_name(bundle.name.removesuffix(".json") + ".metrics.json")


def check_plots(bundle: Path) -> None:
    """Raise UsageError if files in `NAME.plots` would be replaced that no earlier fit wrote."""
    check_written_folder(_plots_folder(bundle), {}, _of_earlier_version)


def write_tables(bundle: PriorBundle, output: Path) -> None:
    """Write metrics and plots of the bundle `NAME.json` beside it, as `NAME.metrics.json` and `NAME.plots/`.

    Raises
    ------
    XtalpriorsError
        A file cannot be written.
    """
    write_metrics(bundle, metrics_path(output))
    write_plots(bundle, _plots_folder(output))


def _plots_folder(bundle: Path) -> Path:
    return bundle.with_name(bundle.name.removesuffix(".json") + ".plots")


def _of_earlier_version(folder: Path) -> list[str]:
    """Tables of a version that wrote no list, known by their columns."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", errors="replace") as file:
            if file.readline() in ("x,values,fit\n", "label,share,low,high\n"):
                found.append(path.name)
    return found


def _at(value: Any, place: str) -> Any:
    """What stands at a dotted place below a prior, `groups.14.wyckoff_sets.0` for one; null where it ends."""
    for part in place.split("."):
        if isinstance(value, dict):
            value = value.get(int(part))
        elif isinstance(value, tuple):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = getattr(value, part, None)
    return value


def _bars(shares: Categorical) -> list[dict[str, Any]]:
    """The `BARS` largest shares with their limits, and the sum of the others."""
    rows: list[dict[str, Any]] = [
        {"label": label, "share": s.value, "low": s.low, "high": s.high}
        for label, s in zip(shares.labels, shares.shares, strict=True)
    ]
    rows.sort(key=lambda row: -row["share"])
    rest = rows[BARS:]
    others = {"label": counted(len(rest), "other"), "share": sum(row["share"] for row in rest)}
    return [*rows[:BARS], *([others] if rest else [])]


def _densities(prior: ScalarPrior) -> list[dict[str, Any]]:
    """Density of the values and of the fit, where they are, in bins from the 0.1 % to the 99.9 % quantile."""
    reference = prior.distribution("empirical" if prior.empirical else None)
    low, high = reference.quantile([0.001, 0.999])
    if isinstance(reference, Constant) or not high > low:
        return [{"x": float(low), "values" if prior.empirical else "fit": 1.0}]
    edges = np.linspace(low, high, BINS + 1)
    centre = 0.5 * (edges[1:] + edges[:-1])

    forms = {
        "values": prior.empirical if isinstance(prior.empirical, Empirical) else None,
        "fit": prior.parametric,
    }
    columns: dict[str, list[float]] = {"x": centre.tolist()}
    for name, form in forms.items():
        if form is not None:
            columns[name] = (np.diff(form.cdf(edges)) / np.diff(edges)).tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
