"""Tables of the page on powder patterns: scores of methods, the paper's tables, tries, and failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from xtalpriors.reports.html import html_table, words
from xtalpriors.reports.meta import count
from xtalpriors.reports.powder.data import PowderScores
from xtalpriors.reports.section import Table

__all__ = ["failure_tables", "paper_tables", "parts_table", "set_tables", "tries_table"]

TABLE_1: Final = (("cubic", 500, 0.934, 0.149, 43.0, 12.7), ("trigonal", 237, 0.741, 0.215, 27.8, 8.1))
"""System, crystals, SSIM and its standard deviation, PSNR and its: Table 1 of Guo et al. 2024."""
TABLE_2: Final = (
    ("atomic ratios", (0.914, 40.9), (0.732, 26.9)),
    ("no ratios", (0.916, 40.3), (0.718, 26.8)),
    ("one element dropped", (0.887, 32.5), (0.695, 25.4)),
    ("no formula", (0.868, 30.0), (0.703, 25.5)),
)
"""What is told of the composition, SSIM and PSNR cubic and trigonal: Table 2 of Guo et al. 2024."""
PUBLISHED: Final = "crystalnet-2024"
WORST_TYPES: Final = 12


def set_tables(scores: PowderScores) -> list[Table]:
    """One table for each set: every method with its scores."""
    return [_set_table(scores, name, content) for name, content in scores.sets.items()]


def _set_table(scores: PowderScores, name: str, content: Mapping[str, Any]) -> Table:
    seconds = scores.scores[scores.scores["set"] == name].groupby("method")["seconds"].mean()
    rows = []
    for method in dict.fromkeys(scores.scores["method"]):
        one = content["methods"].get(method)
        if one is None:  # of another set
            continue
        first, best = one["first"], one["best"]
        rows.append(
            {
                "answer": f"network: {method}" if method in scores.networks else method,
                "SSIM": f"{first['ssim']:.3f} ± {first['ssim_sd']:.3f}",
                "by type": f"{first['ssim_by_type']:.3f}",
                "> .95": f"{100 * first['good']:.0f} %",
                "PSNR / dB": f"{first['psnr']:.1f}",
                "SSIM of 5": f"{best['ssim']:.3f}",
                "PSNR of 5": f"{best['psnr']:.1f}",
                "failed": str(one["failures"]),
                "s each": f"{seconds[method]:.2f}",
            }
        )
    lead = words("densities", "set_lead", set=name[0], n=content["n"], known=content["n_in_library"])
    for network, difference in content["against_bar"].items():
        lead += " " + words(
            "densities", "against", network=network, bar=content["bar"], n=content["n"], **difference
        )
    frame = pd.DataFrame(rows)
    return Table(f"Set {name}", html_table(frame, numeric=list(frame.columns[1:])), lead, "powder-scores")


def parts_table(scores: PowderScores) -> list[Table]:
    """SSIM of crystals whose structure type the training has, and of the others, where a set has both."""
    rows = []
    for name, content in scores.sets.items():
        parts = content["parts"]
        if len(parts) == 2:
            known = content["n_in_library"]
            label = f"{name}: {known} known, {content['n'] - known} not"
            for method in (m for m in dict.fromkeys(scores.scores["method"]) if m in content["methods"]):
                rows.append(
                    {
                        "set": label,
                        "answer": method,
                        "type known": f"{parts['in library'][method]:.3f}",
                        "type not known": f"{parts['not in library'][method]:.3f}",
                    }
                )
    if not rows:
        return []
    frame = pd.DataFrame(rows)
    lead = words("densities", "parts_lead")
    return [
        Table("Structure types known and unknown", html_table(frame, numeric=list(frame.columns[2:])), lead)
    ]


def paper_tables(scores: PowderScores) -> list[Table]:
    """Tables 1 and 2 of the paper, and the same network here."""
    own = scores.sets.get("S", {}).get("methods", {})
    rows = [
        {
            "system": system,
            "Guo, N": count(n),
            "Guo, SSIM": f"{ssim:.3f} ± {ssim_sd:.3f}",
            "Guo, PSNR": f"{psnr:.1f} ± {psnr_sd:.1f} dB",
            **_here(own.get(PUBLISHED) if system == "cubic" else _trigonal(scores)),
        }
        for system, n, ssim, ssim_sd, psnr, psnr_sd in TABLE_1
    ]
    first = pd.DataFrame(rows)
    rows = []
    for told, cubic, trigonal in TABLE_2:
        name = PUBLISHED if told == "atomic ratios" else f"{PUBLISHED}, {told}"
        rows.append(
            {
                "told of the composition": told,
                "Guo, cubic": f"{cubic[0]:.3f}, {cubic[1]:.1f} dB",
                "Guo, trigonal": f"{trigonal[0]:.3f}, {trigonal[1]:.1f} dB",
                **_here(own.get(name)),
            }
        )
    second = pd.DataFrame(rows)
    lead = words("densities", "paper_lead")
    return [
        Table(
            "Table 1 of Guo et al.: reconstruction", html_table(first, numeric=list(first.columns[1:])), lead
        ),
        Table(
            "Table 2 of Guo et al.: with less of the composition",
            html_table(second, numeric=list(second.columns[1:])),
            words("densities", "ablation_lead"),
        ),
    ]


def _trigonal(scores: PowderScores) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = scores.sets.get("S trigonal", {}).get("methods", {}).get(PUBLISHED)
    return found


def _here(one: Mapping[str, Any] | None) -> dict[str, str]:
    """Cells of the same network in this evaluation, best of five tries; dashes where it is not in it."""
    if one is None:
        return {"here, N": "–", "here, SSIM": "–", "here, PSNR": "–"}
    best = one["best"]
    return {
        "here, N": count(best["n"]),
        "here, SSIM": f"{best['ssim']:.3f} ± {best['ssim_sd']:.3f}",
        "here, PSNR": f"{best['psnr']:.1f} ± {best['psnr_sd']:.1f} dB",
    }


def tries_table(scores: PowderScores) -> Table:
    """The tries of the crystals of the figure in their order, with the score of each."""
    shown = scores.sections[scores.sections["what"] != "truth"]
    rows = []
    for (crystal, network), tries in shown.groupby(["crystal", "what"], sort=False):
        values = {int(rank): f"{value:.2f}" for rank, value in zip(tries["rank"], tries["ssim"], strict=True)}
        rows.append(
            {"crystal": crystal, "network": network, "first made from": tries["source"].iloc[0]}
            | {f"try {k}": values.get(k, "–").replace("-", "−") for k in range(1, 6)}
        )
    frame = pd.DataFrame(rows)
    return Table(
        "SSIM of the tries in their order",
        html_table(frame, numeric=list(frame.columns[3:])),
        words("densities", "tries_lead"),
    )


def failure_tables(scores: PowderScores) -> list[Table]:
    """Structure types on which the last network does worst, set by set, and the reasons for no answer."""
    network = scores.networks[-1]
    own = scores.scores[scores.scores["method"] == network]
    found = []
    for name in scores.sets:
        of_set = own[own["set"] == name]
        grouped = of_set.groupby(["space_group", "prototype"], sort=False)
        types = grouped.agg(n=("ssim", "size"), ssim=("ssim", "mean"), example=("formula", "first"))
        worst = types.sort_values("ssim", kind="stable").head(WORST_TYPES).reset_index()
        frame = pd.DataFrame(
            {
                "structure type": worst["prototype"],
                "for example": worst["example"],
                "N": worst["n"].astype(str),
                "mean SSIM": [f"{value:.3f}".replace("-", "−") for value in worst["ssim"]],
            }
        )
        found.append(
            Table(
                f"Set {name}: the worst structure types of {network}",
                html_table(frame, numeric=["N", "mean SSIM"]),
                _reasons(of_set),
            )
        )
    return found


def _reasons(of_set: pd.DataFrame) -> str:
    failed = of_set["failure"].dropna()
    if failed.empty:
        return words("densities", "all_answered", n=len(of_set))
    reason = failed.value_counts().index[0]
    return words("densities", "unanswered", n=len(failed), of=len(of_set), reason=reason)
