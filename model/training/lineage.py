"""From corpus to weights: what a model card says about where a network comes from."""

from __future__ import annotations

from pathlib import Path

import torch

from xtalpriors import __version__
from xtalpriors.atomic import write_text
from xtalpriors.canonical import canonical_json
from xtalpriors.model.network.card import Lineage, ModelCard
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.provenance import code_commit

__all__ = ["card_markdown", "lineage_of", "lineage_rows", "write_card"]


def lineage_of(config: TrainConfig, bundle: PriorBundle) -> Lineage:
    """Lineage of what this configuration trains on this bundle with the code that runs."""
    commit, changed = code_commit()
    return Lineage(
        bundle=bundle.name,
        priors_digest=bundle.priors_digest,
        created_from=bundle.created_from.model_dump(mode="json", exclude={"waterfall"}),
        generator=config.data.generator.model_dump(mode="json"),
        generator_digest=config.data.generator.digest,
        training_digest=config.digest,
        code_version=__version__,
        code_commit=commit,
        code_changed=changed,
        torch_version=torch.__version__,
    )


def write_card(folder: Path, card: ModelCard) -> None:
    """Write `model-card.json` and `model-card.md`."""
    write_text(folder / "model-card.json", canonical_json(card.model_dump(mode="json"), indent=1) + "\n")
    write_text(folder / "model-card.md", card_markdown(card))


def card_markdown(card: ModelCard) -> str:
    """The card for a reader."""
    lines = [
        f"# {card.name}",
        "",
        f"PhAI of {card.parameters:,} parameters for {card.space_group}, indices to {card.max_index} "
        f"({card.size.n_reflections:,} reflections). Input: amplitudes scaled by `{card.scaling}`. "
        f"Trained on {card.structures:,} artificial structures in {card.steps:,} steps"
        + ("; the weights are an average over training." if card.averaged else "."),
        "",
    ]
    if card.scores:
        lines += [
            "## Scores",
            "",
            "One run a structure from all-zero phases; r over the unique reflections.",
            "",
            "| set | N | cycles | median r | r ≥ 0.8 (95 % interval) | all phases zero: r ≥ 0.8 "
            "| random phases: median r |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {s.n:,} | {s.cycles} | {s.median_r:.3f} | {100 * s.solved:.1f} % "
            f"({100 * s.solved_low:.1f}–{100 * s.solved_high:.1f}) | {100 * s.zero_phases_solved:.1f} % "
            f"| {s.random_phases_median_r:.3f} |"
            for name, s in sorted(card.scores.items())
        ]
        lines.append("")
    if rows := lineage_rows(card):
        lines += ["## Lineage", "", "| link | what |", "|---|---|"]
        lines += [f"| {link} | {what} |" for link, what in rows]
        lines.append("")
    return "\n".join(lines)


def lineage_rows(card: ModelCard) -> list[tuple[str, str]]:
    """The links from the corpus to the weights: name, and what it is; digests stand in backquotes."""
    lineage = card.lineage
    rows = [] if lineage is None else _training_rows(lineage)
    if card.weights_digest is not None:
        rows.append(("weights", f"digest `{card.weights_digest}`"))
    return rows


def _training_rows(lineage: Lineage) -> list[tuple[str, str]]:
    source = lineage.created_from
    state = {None: "", True: ", with uncommitted changes", False: ""}[lineage.code_changed]
    subset = source.get("subset")
    corpus = [str(source.get("corpus"))]
    corpus += [f"revision {source['revision']}"] if source.get("revision") else []
    corpus += [f"database digest `{source['database_digest']}`"] if source.get("database_digest") else []
    corpus += [f"subset `{subset.get('name')}`"] if isinstance(subset, dict) else []
    corpus += [f"doi {source['doi']}"] if source.get("doi") else []
    strategy = f"{lineage.generator['cell']}, {lineage.generator['filling']}"
    return [
        ("corpus", ", ".join(corpus)),
        ("prior bundle", f"{lineage.bundle}, digest `{lineage.priors_digest}`"),
        ("generator", f"{strategy}, digest `{lineage.generator_digest}`"),
        ("training configuration", f"digest `{lineage.training_digest}`"),
        ("code", f"xtalpriors {lineage.code_version}, commit `{lineage.code_commit or 'unknown'}`{state}"),
        ("PyTorch", lineage.torch_version),
    ]
