"""The section on phasing: scores of trained networks on real crystals, the paper's tables and Figs 5 to 7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from markupsafe import Markup

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.evaluation import Evaluation, maps_path, read_evaluation
from xtalpriors.model.projection import PROJECTIONS
from xtalpriors.model.summary import Score, Summary, summarise
from xtalpriors.model.tables import CELLS, FILLINGS, PAPER_TABLES, strategy_table
from xtalpriors.reports.figures import phasing_maps
from xtalpriors.reports.figures.phasing_scores import BY_CLASS, BY_SPECIAL, ScoreFigure
from xtalpriors.reports.inputs import Inputs
from xtalpriors.reports.meta import FigureMeta, Rendered, Sample, count
from xtalpriors.reports.section import Section, Table, html_table, render

__all__ = ["PhasingSet", "evaluation_section", "phasing_section", "read_phasing"]

DOI = "10.1107/S2053273325009428"
MOST = 3
"""Networks that a figure shows, as in the paper."""


@dataclass(frozen=True, slots=True)
class PhasingSet:
    """One evaluation.

    Attributes
    ----------
    name
        Stem of its file.
    evaluation, summary
        Scores of every structure, and in sum.
    maps
        Rows of `model.projection.PROJECTIONS`; null where there is no file of them.
    """

    name: str
    evaluation: Evaluation
    summary: Summary
    maps: pd.DataFrame | None

    @property
    def subset(self) -> str:
        """Name of the subset that all its structures are of; the names joined where there are several."""
        names = self.evaluation.metadata["network"].get("subsets") or []
        known = sorted({next((k for k in PAPER_TABLES if n.endswith(k)), n) for n in names})
        return ", ".join(known) or "test structures"


def read_phasing(path: Path) -> PhasingSet:
    """Read what `model.assess.assess` wrote.

    Raises
    ------
    XtalpriorsError
        The file is missing or no evaluation, or its maps cannot be read.
    """
    path = Path(path)
    evaluation = read_evaluation(path)
    beside = maps_path(path)
    maps = None
    if beside.is_file():
        try:
            maps = pq.read_table(beside, schema=PROJECTIONS).to_pandas()
        except (OSError, pa.ArrowException) as error:
            raise XtalpriorsError(
                f"{beside} holds no density projections ({type(error).__name__}). Evaluate again."
            ) from error
    return PhasingSet(path.stem, evaluation, summarise(evaluation), maps)


def evaluation_section(
    inputs: Inputs, evaluations: Sequence[Path]
) -> tuple[Section, dict[str, pd.DataFrame]]:
    """The section of a corpus report, and frames for CSV by name.

    Parameters
    ----------
    inputs
        Of the report.
    evaluations
        Files of `xtalpriors evaluate`.
    """
    return phasing_section([read_phasing(path) for path in evaluations], inputs.name, inputs.corpus.digest)


def phasing_section(
    sets: Sequence[PhasingSet], corpus: str, database_digest: str | None = None
) -> tuple[Section, dict[str, pd.DataFrame]]:
    """The section on evaluations that are read already."""
    shown = list(sets[:MOST])
    meta = _meta(shown, corpus, database_digest)
    rows = [(s.name, s.evaluation.rows.drop_columns(["r_by_run"]).to_pandas()) for s in shown]
    figures = [
        _scores(BY_CLASS, "phasing-class", "Fig. 5", "r against volume, by compound class", rows, meta),
        _scores(
            BY_SPECIAL, "phasing-special", "Fig. 6", "r against volume, by special positions", rows, meta
        ),
    ]
    mapped = next((s for s in sets if s.maps is not None and len(s.maps)), None)
    if mapped is not None and mapped.maps is not None:
        figures.append(_maps(mapped, corpus, database_digest))
    frame = scores_frame(sets)
    tables = [_scores_table(sets)]
    tables += [_strategies(sets, subset) for subset in PAPER_TABLES if any(s.subset == subset for s in sets)]
    return Section("phasing", "Phasing real crystals", _lead(sets), figures, tables), {"phasing": frame}


def scores_frame(sets: Sequence[PhasingSet]) -> pd.DataFrame:
    """A row per network, part of the structures and score, for the CSV."""
    rows = []
    for one in sets:
        parts = {"all": one.summary.scores}
        parts |= {f"class {k}": v for k, v in one.summary.by_class.items()}
        parts |= {f"special positions {k}": v for k, v in one.summary.by_special.items()}
        for part, scores in parts.items():
            for name, score in scores.items():
                rows.append({"network": one.name, "structures": part, "score": name, **score.model_dump()})
    return pd.DataFrame(rows)


def _meta(sets: Sequence[PhasingSet], corpus: str, digest: str | None) -> FigureMeta:
    samples = tuple(Sample(f"{s.name} on {s.subset}", s.summary.n) for s in sets)
    bundles = {
        str(s.summary.network["bundle"]): str(s.summary.network["priors_digest"])
        for s in sets
        if s.summary.network.get("bundle")
    }
    return FigureMeta(corpus, samples, "least-oblique", digest, bundles)


def _lead(sets: Sequence[PhasingSet]) -> str:
    first = sets[0].evaluation
    protocol, d_min = first.protocol, first.protocol.d_min_angstrom
    assumed = sum(s.summary.n_u_assumed for s in sets)
    text = (
        f"Diffraction of real structures, calculated to {d_min:g} Å within the box of the network with their "
        f"own U_iso, phased from phases zero and from {protocol.random_starts} random starts with 1 to "
        f"{protocol.cycles} cycles. Best is the run nearest to the truth, which the papers report and no "
        f"user can pick; chosen is the run with the largest {protocol.merit}, a figure of merit that needs "
        "no truth. r counts every unique reflection once, as in the papers; by multiplicity it is the "
        "correlation of the maps."
    )
    if assumed:
        text += f" {count(assumed)} structures have atoms without U_iso, for which 0.05 Å² is assumed."
    if protocol.completeness < 1:
        text += f" Of the reflections {100 * protocol.completeness:.0f} % are given."
    return text


def _scores(
    figure: ScoreFigure,
    name: str,
    number: str,
    title: str,
    rows: Sequence[tuple[str, pd.DataFrame]],
    meta: FigureMeta,
) -> Rendered:
    caption = (
        "Each point is a structure. The dashed line is r = 0.8, from which a structure counts as solved. "
        "Left the best of all runs, as in the paper; right the run that a user would get."
    )
    return render(figure, name, number, title, figure.data(rows), meta, caption)


def _maps(one: PhasingSet, corpus: str, digest: str | None) -> Rendered:
    assert one.maps is not None
    caption = (
        "Mean density of a slab of 0.5 Å along the plane that holds the most atoms, of structures among the "
        "largest solved ones. Phases are those of the run chosen without the truth, amplitudes are "
        "calculated. Crosses are the true atoms of the slab, named where they are not carbon. Contours at "
        f"{', '.join(f'{100 * x:.0f}' for x in phasing_maps.LEVELS)} % of the highest density, and the "
        "first one negative."
    )
    return render(
        phasing_maps,
        "phasing-maps",
        "Fig. 7",
        "Density maps of predicted phases",
        phasing_maps.data(one.maps),
        _meta([one], corpus, digest),
        caption,
    )


def _scores_table(sets: Sequence[PhasingSet]) -> Table:
    """All scores of each network, the baselines below them."""
    rows = []
    for one in sets:
        for name, score in one.summary.scores.items():
            rows.append(
                {
                    "network": f"{one.name} on {one.subset}",
                    "phases": name,
                    "N": count(score.n),
                    "r ≥ 0.8": _share(score),
                    "r > 0.95": "–" if score.solved_95 is None else f"{100 * score.solved_95:.1f} %",
                    "median r": _median(score),
                }
            )
    lead = (
        "Fractions with Wilson’s 95 % interval, medians with a bootstrap interval. The last three lines of a "
        "network are what trivial phases reach: what it adds to them is what it has learnt. Extended: over "
        "the whole list, with the true amplitudes of reflections that the network was not given."
    )
    frame = pd.DataFrame(rows)
    return Table("Scores and baselines", html_table(frame, numeric=list(frame.columns[2:])), lead, "phasing")


def _share(score: Score) -> str:
    if score.solved is None or score.solved_low is None or score.solved_high is None:
        return "–"
    return f"{100 * score.solved:.1f} % ({100 * score.solved_low:.1f} to {100 * score.solved_high:.1f})"


def _median(score: Score) -> str:
    if score.median is None or score.median_low is None or score.median_high is None:
        return "–"
    text = f"{score.median:.3f} ({score.median_low:.3f} to {score.median_high:.3f})"
    return text.replace("-", "−")


def _strategies(sets: Sequence[PhasingSet], subset: str) -> Table:
    """Table 1 or 2: this corpus's networks, the paper's numbers beside them."""
    paper = PAPER_TABLES[subset]
    table = strategy_table([s.summary for s in sets if s.subset == subset], subset)
    heads = [
        "filling",
        *(CELLS[cell.cell] for cell in table[0]),
        "paper: " + ", ".join(CELLS[c.cell] for c in table[0]),
    ]
    rows = []
    for line in table:
        here = [
            "–" if cell.score is None else f"{_share(cell.score)}; {_median(cell.score)}" for cell in line
        ]
        there = " | ".join(
            "–" if c.paper is None else f"{100 * c.paper[0]:g} %, {c.paper[1]:g}" for c in line
        )
        rows.append([FILLINGS[line[0].filling], *here, there])
    original = f"{100 * paper.original[0]:g} %, {paper.original[1]:g}"
    rows.append(["original PhAI set", *["–"] * len(table[0]), original])
    sizes = sorted({s.summary.n for s in sets if s.subset == subset})
    lead = (
        f"Fraction solved (r ≥ 0.8) and median r of the best run. Here N = {', '.join(map(count, sizes))}; "
        f"the paper (doi {DOI}, Table {paper.number}) has N = {count(paper.n)} structures of COD and CSD "
        f"with {paper.lengths}, and networks trained on 100 million structures each."
    )
    title = f"Table {paper.number}: training strategies on {subset}"
    return Table(title, html_table(pd.DataFrame(rows, columns=heads)), Markup.escape(lead))
