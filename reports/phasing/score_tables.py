"""Tables of the phasing page: scores beside baselines, by volume, the paper's tables, and the lineage."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from xtalpriors.counted import counted
from xtalpriors.model.scoring.paper_tables import CELLS, FILLINGS, PAPER_TABLES, strategy_table
from xtalpriors.model.scoring.summary import Score
from xtalpriors.reports.html import html_table, words
from xtalpriors.reports.meta import count
from xtalpriors.reports.phasing.data import PhasingSet
from xtalpriors.reports.phasing.seeds import Trained, spread, trainings_of
from xtalpriors.reports.section import Table

__all__ = ["lineage_table", "score_tables", "strategy_tables", "volume_table"]

DOI = "10.1107/S2053273325009428"

NAMES = {
    "best": "best run",
    "best, by multiplicity": "best run, r by multiplicity",
    "best, extended": "best run, extended",
    "chosen": "chosen run",
    "chosen, by multiplicity": "chosen run, r by multiplicity",
    "chosen, extended": "chosen run, extended",
    "phases all zero": "baseline: phases all zero",
    "random phases": "baseline: random phases",
    "best of five random": "baseline: best of five random",
    "charge flipping, chosen": "baseline: charge flipping, chosen",
    "charge flipping, best": "baseline: charge flipping, best",
    "chosen by positivity": "if chosen by positivity",
    "chosen by skewness": "if chosen by skewness",
    "chosen by expected_r": "if chosen by expected r",
    "chosen by agreement": "if chosen by agreement",
}
"""Names of `summary.SCORES` as the page prints them, in its order."""


def score_tables(sets: dict[str, PhasingSet]) -> list[Table]:
    """Fractions solved and medians: a line for each kind of phases, a column for each evaluation."""
    heads = {label: f"{label}, N = {count(one.summary.n)}" for label, one in sets.items()}
    solved, median = [], []
    for name, shown in NAMES.items():
        scores = {label: one.summary.scores.get(name) for label, one in sets.items()}
        if any(scores.values()):
            again = {
                label: spread(one.described, one.corpus, one.subset, name) for label, one in sets.items()
            }
            solved.append({"phases": shown, **{heads[k]: share(v, again[k]) for k, v in scores.items()}})
            median.append({"phases": shown, **{heads[k]: middle(v, again[k]) for k, v in scores.items()}})
    numeric = list(heads.values())
    trainings = _trainings(sets)
    return [
        Table(
            "Fraction solved (r ≥ 0.8)",
            html_table(pd.DataFrame(solved), numeric=numeric),
            words("scores", "solved_table") + trainings,
            "phasing",
        ),
        Table(
            "Median r",
            html_table(pd.DataFrame(median), numeric=numeric),
            words("scores", "median_table") + trainings,
            "phasing",
        ),
    ]


def _trainings(sets: dict[str, PhasingSet]) -> str:
    """Sentences on how much trainings vary, for each network: how it was found, or that it was not."""
    said = ""
    for network in dict.fromkeys(s.network for s in sets.values()):
        of_it = [s for s in sets.values() if s.network == network]
        preset = trainings_of(of_it[0].described)
        known = [spread(s.described, s.corpus, s.subset, "best") for s in of_it]
        here = [f"{t.tested_on} of {t.corpus} ({count(t.n)})" for t in known if t is not None]
        validation = None if preset is None else next((t for t in preset.trained if t.corpus is None), None)
        said += " " + words("scores", "trainings", network=network, validation=validation, here=here)
    return said


def volume_table(sets: dict[str, PhasingSet]) -> list[Table]:
    """Scores within and outside the volumes of training; none where these had no limits."""
    rows = []
    for label, one in sets.items():
        low, high = one.trained_volumes or (0.0, 0.0)
        texts = {"trained": f"{low:g}–{high:g} Å³, as in training", "other": "other volumes"}
        for part, scores in one.summary.by_volume.items():
            rows.append(
                {
                    "structures": label,
                    "volume": texts[part],
                    "N": count(scores["best"].n),
                    "best run": share(scores["best"]),
                    "chosen run": share(scores["chosen"]),
                    "phases all zero": share(scores.get("phases all zero")),
                }
            )
    if not rows:
        return []
    lead = words("scores", "volume_table")
    frame = pd.DataFrame(rows)
    return [
        Table("By volume", html_table(frame, numeric=list(frame.columns[2:])), lead, "phasing"),
    ]


def strategy_tables(sets: Sequence[PhasingSet]) -> list[Table]:
    """Tables 1 and 2 of the paper for the evaluations that are of their subsets."""
    subsets = [subset for subset in PAPER_TABLES if any(s.subset == subset for s in sets)]
    return [_strategies([s for s in sets if s.subset == subset], subset) for subset in subsets]


def _strategies(sets: Sequence[PhasingSet], subset: str) -> Table:
    """One of the tables: in each cell this corpus's network above the paper's."""
    paper = PAPER_TABLES[subset]
    table = strategy_table([s.summary for s in sets], subset)
    cells = [CELLS[cell.cell] for cell in table[0]]
    rows = []
    for line in table:
        here = ["–" if c.score is None else f"{share(c.score)}; {middle(c.score)}" for c in line]
        there = ["–" if c.paper is None else _printed(*c.paper) for c in line]
        rows.append([FILLINGS[line[0].filling], "here", *here])
        rows.append(["", "paper", *there])
    rows.append(["original PhAI set", "paper", _printed(*paper.original), *[""] * (len(cells) - 1)])
    sizes = sorted({s.summary.n for s in sets})
    trained = sorted({_training(s) for s in sets if s.described.get("structures")})
    lead = words("scores", "strategies", sizes=sizes, trained=trained, doi=DOI, paper=paper)
    title = f"Table {paper.number}: training strategies on {subset}"
    return Table(title, html_table(pd.DataFrame(rows, columns=["filling", "network", *cells])), lead)


def _training(one: PhasingSet) -> str:
    """`51,200 structures of 120 to 260 Å³`."""
    volumes = one.trained_volumes
    of = "" if volumes is None else f" of {volumes[0]:g} to {volumes[1]:g} Å³"
    return f"{counted(one.described['structures'], 'structure')}{of}"


def _printed(solved: float, median: float) -> str:
    """Numbers of the paper with the digits it has."""
    return f"{100 * solved:g} %; {median:.2f}" if median < 0.9999 else f"{100 * solved:g} %; {median:g}"


def lineage_table(sets: dict[str, PhasingSet]) -> list[Table]:
    """From the corpus of the priors to the weights, and to the subsets that they were tested on."""
    tables = []
    for network in dict.fromkeys(s.network for s in sets.values()):
        of_it = {label: s for label, s in sets.items() if s.network == network}
        first = next(iter(of_it.values()))
        rows = [tuple(row) for row in first.described.get("lineage") or []]
        rows += [
            (f"tested on {label}", f"digest {', '.join(one.described.get('subset_digests') or ['–'])}")
            for label, one in of_it.items()
        ]
        plain = [(link, what.replace("`", "")) for link, what in rows]
        tables.append(
            Table(f"Network {network}", html_table(pd.DataFrame(plain, columns=["link", "what it is"])))
        )
    return tables


def share(score: Score | None, trained: Trained | None = None) -> str:
    """`86.0 % (83.1 to 88.5)`, with `± 1.4` for the spread between trainings; a dash for none."""
    if score is None or score.solved is None or score.solved_low is None or score.solved_high is None:
        return "–"
    again = "" if trained is None else f" ± {100 * trained.solved_deviation:.1f}"
    return (
        f"{100 * score.solved:.1f} % ({100 * score.solved_low:.1f} to {100 * score.solved_high:.1f}){again}"
    )


def middle(score: Score | None, trained: Trained | None = None) -> str:
    """`0.912 (0.905 to 0.921)`, with `± 0.014` for the spread between trainings; a dash for none."""
    if score is None or score.median is None or score.median_low is None or score.median_high is None:
        return "–"
    again = "" if trained is None else f" ± {trained.median_deviation:.3f}"
    text = f"{score.median:.3f} ({score.median_low:.3f} to {score.median_high:.3f}){again}"
    return text.replace("-", "−")
