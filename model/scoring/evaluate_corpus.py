"""Scores a network on every test subset of a corpus: evaluations, headline numbers and a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.model.network.card import CARD, CARD_TEXT, ModelCard, card_markdown
from xtalpriors.model.network.weights import load_card
from xtalpriors.model.scoring.evaluate_subsets import (
    EvaluatedSubsets,
    Selection,
    evaluate_subsets,
    evaluation_files,
)
from xtalpriors.model.scoring.runs import Protocol
from xtalpriors.model.scoring.structures import EmptyTestSet
from xtalpriors.model.scoring.summary import Score, Summary
from xtalpriors.outputs import FileKind, check_folder, check_outputs, json_with, read_object
from xtalpriors.progress import Progress, silent

__all__ = ["EvaluatedCorpus", "evaluate_corpus", "headline"]

CARD_SCORES: Final[Mapping[str, str]] = {
    "best": "best run",
    "chosen": "run chosen without the truth",
    "phases all zero": "all phases zero",
    "best of five random": "best of five random",
}
"""Names of `summary.SCORES` that stand in the readable card, and what it calls them."""

METRICS: Final = FileKind(
    "the headline numbers of an evaluation",
    lambda path: all("n" in numbers for numbers in read_object(path).values()),
)
RECORD: Final = FileKind("the record of an evaluation", json_with("network", "structures"))


@dataclass(frozen=True, slots=True)
class EvaluatedCorpus:
    """What `evaluate_corpus` found.

    Attributes
    ----------
    done
        By name of the subset.
    empty
        Subsets with nothing to test, and why.
    """

    done: dict[str, EvaluatedSubsets]
    empty: dict[str, str]

    def __str__(self) -> str:
        """All scores as lines."""
        parts = [f"{name}: {scores}" for name, scores in self.done.items()]
        return "\n".join(parts + [f"{name}: not evaluated. {why}" for name, why in self.empty.items()])


def evaluate_corpus(
    model: Path,
    subsets: Sequence[Path],
    folder: Path,
    metrics: Path,
    protocol: Protocol | None = None,
    *,
    selection: Selection | None = None,
    device: str | None = None,
    progress: Progress = silent,
) -> EvaluatedCorpus:
    """Evaluate a network on each of several subsets.

    A subset without a structure is reported and left out, because a small corpus is not an error.

    Parameters
    ----------
    model
        A run's folder or its `model.safetensors`.
    subsets
        `NAME.parquet` of `xtalpriors subset`, one evaluation each.
    folder
        Gets what `evaluate_subsets` writes for each, and `model-card.json` and `.md`: the card of the network
        with its scores on these structures, and `digest.json`: what was scored on what, without a number that
        depends on the processor.
    metrics
        Gets the headline numbers (.json).
    protocol, selection, device, progress
        As in `evaluate_subsets`.

    Raises
    ------
    XtalpriorsError, UsageError
        As `evaluate_subsets`, but for an empty subset.
    """
    card = load_card(model)
    kinds = {
        metrics: METRICS,
        folder / "digest.json": RECORD,
        folder / "model-card.json": CARD,
        folder / "model-card.md": CARD_TEXT,
    }
    check_folder(folder)
    check_outputs(kinds.items())
    found = EvaluatedCorpus({}, {})
    for subset in map(Path, subsets):
        output = folder / subset.name
        try:
            found.done[subset.stem] = evaluate_subsets(
                model, [subset], output, protocol, selection=selection, device=device, progress=progress
            )
        except EmptyTestSet as error:
            found.empty[subset.stem] = str(error)
            check_outputs(evaluation_files(output))
            for former, _ in evaluation_files(output):
                former.unlink(missing_ok=True)
    summaries = {name: one.summary for name, one in found.done.items()}
    numbers = {name: headline(summary) for name, summary in summaries.items()}
    numbers |= {name: {"n": 0} for name in found.empty}
    record = {
        "network": card.lineage.record if card.lineage else None,
        "structures": {name: one["n"] for name, one in numbers.items()},
        "subset_digests": {name: one.network["subset_digests"] for name, one in summaries.items()},
    }
    texts = [
        *(
            canonical_json(content, indent=1) + "\n"
            for content in (numbers, record, _content(card, summaries))
        ),
        _markdown(card, summaries),
    ]
    for (file, kind), text in zip(kinds.items(), texts, strict=True):
        write_text(file, text, kind)
    return found


def headline(summary: Summary) -> dict[str, Any]:
    """N, fraction solved and median r of the best and of the chosen run, and what phases all zero solve."""
    best, chosen = summary.scores["best"], summary.scores["chosen"]
    zero = summary.scores.get("phases all zero")
    return {
        "n": summary.n,
        "solved": best.solved,
        "median_r": best.median,
        "solved_chosen": chosen.solved,
        "median_r_chosen": chosen.median,
        "solved_phases_zero": None if zero is None else zero.solved,
    }


def _content(card: ModelCard, summaries: Mapping[str, Summary]) -> dict[str, Any]:
    """The card and every score, for machines."""
    evaluations = {
        name: {
            "subset_digests": summary.network["subset_digests"],
            "selection": summary.network["selection"],
            "protocol": summary.protocol,
            "scores": {key: one.model_dump(mode="json") for key, one in summary.scores.items()},
        }
        for name, summary in summaries.items()
    }
    return card.model_dump(mode="json") | {"evaluations": evaluations}


def _markdown(card: ModelCard, summaries: Mapping[str, Summary]) -> str:
    """The card of the network, and a table of its scores on real structures."""
    shown = {k: v for k, v in CARD_SCORES.items() if all(k in s.scores for s in summaries.values())}
    cells = "".join(f" {label}: r ≥ 0.8 | median r |" for label in shown.values())
    lines = [
        card_markdown(card),
        "## Scores on real structures",
        "",
        "Fractions with Wilson’s 95 % interval. Nobody without the true phases can pick the best run.",
        "",
        f"| subset | digest of its structures | N |{cells}",
        "|---" * (3 + 2 * len(shown)) + "|",
    ]
    for name, summary in summaries.items():
        digests = ", ".join(f"`{digest}`" for digest in summary.network["subset_digests"])
        numbers = "".join(f" {_share(summary.scores[k])} | {_median(summary.scores[k])} |" for k in shown)
        lines.append(f"| {name} | {digests} | {summary.n:,} |{numbers}")
    return "\n".join([*lines, ""])


def _share(score: Score) -> str:
    low, high = score.solved_low, score.solved_high
    if score.solved is None or low is None or high is None:
        return "–"
    return f"{100 * score.solved:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def _median(score: Score) -> str:
    return "–" if score.median is None else f"{score.median:.3f}".replace("-", "−")
