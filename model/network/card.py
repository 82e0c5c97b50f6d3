"""The model card: what a network is, what it was trained on, and how well it does; as a value and as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import Field

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.counted import counted
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.network.carded_weights import WeightsCard
from xtalpriors.model.network.inputs import Scaling
from xtalpriors.model.network.phai import NetworkSize
from xtalpriors.model.network.reflections import LARGEST_INDEX
from xtalpriors.outputs import FileKind, json_with, text_with

__all__ = [
    "CARD_FILES",
    "SOLVED",
    "Lineage",
    "ModelCard",
    "SetScore",
    "card_markdown",
    "lineage_rows",
    "write_card",
]

CARD: Final = FileKind("a model card", json_with("card_version", "size", "space_group"))
CARD_TEXT: Final = FileKind("a model card", text_with("\nPhAI of "))
CARD_FILES: Final = {"model-card.json": CARD, "model-card.md": CARD_TEXT}
"""Names and kinds of the files of a card."""
SOLVED: Final = 0.8
"""r of a solved structure (Melgalvis & Reķis 2026, doi 10.1107/S2053273325009428)."""


class Lineage(Frozen):
    """What the weights follow from: corpus, prior bundle, generator, training options, code and PyTorch."""

    bundle: str = Field(description="Name of the prior bundle")
    priors_digest: str = Field(description="Digest of its priors")
    created_from: dict[str, Any] = Field(
        description="Corpus, revision, database digest and subset of the bundle"
    )
    generator: dict[str, Any] = Field(description="Generator configuration")
    generator_digest: str
    training_digest: str = Field(description="Digest of the training configuration")
    code_version: str = Field(description="Version of xtalpriors")
    code_commit: str | None = Field(description="Commit of the code; null outside a repository")
    code_changed: bool | None = Field(description="Whether the code had uncommitted changes")
    torch_version: str

    @property
    def record(self) -> dict[str, str]:
        """Digests of what the weights follow from; equal on every machine, which the weights are not."""
        return {
            "priors_digest": self.priors_digest,
            "generator_digest": self.generator_digest,
            "training_digest": self.training_digest,
        }


class SetScore(Frozen):
    """Score on one fixed set of structures."""

    n: int = Field(ge=1, description="Structures")
    median_r: float = Field(description="Median map correlation over the unique reflections")
    mean_r: float
    solved: float = Field(description="Share with r ≥ 0.8")
    solved_low: float = Field(description="Wilson 95 % interval of that share")
    solved_high: float
    cycles: int = Field(description="Phase recycling cycles, from all-zero phases, one run a structure")
    zero_phases_solved: float = Field(description="Share with r ≥ 0.8 when every phase is 0")
    random_phases_median_r: float = Field(description="Median r of random phases")


class ModelCard(WeightsCard):
    """What travels with the weights of PhAI, in the metadata of `model.safetensors` and beside it."""

    size: NetworkSize
    space_group: str = Field(description="Setting that the network phases")
    max_index: int = Field(ge=1, le=LARGEST_INDEX)
    scaling: Scaling = Field(default="maximum", description="What the network expects as amplitudes")
    cycles: int = Field(default=3, ge=1, description="Most cycles seen in training")
    averaged: bool = Field(default=False, description="Whether the weights are an average over training")
    steps: int = 0
    structures: int = Field(default=0, description="Structures trained on")
    training: dict[str, Any] = Field(default_factory=dict, description="Training configuration")
    lineage: Lineage | None = None
    scores: dict[str, SetScore] = Field(default_factory=dict)


def write_card(folder: Path, card: ModelCard) -> None:
    """Write `model-card.json` and `model-card.md`."""
    content = canonical_json(card.model_dump(mode="json"), indent=1) + "\n"
    write_text(folder / "model-card.json", content, CARD)
    write_text(folder / "model-card.md", card_markdown(card), CARD_TEXT)


def card_markdown(card: ModelCard) -> str:
    """The card for a reader."""
    lines = [
        f"# {card.name}",
        "",
        f"PhAI of {card.parameters:,} parameters for {card.space_group}, indices to {card.max_index} "
        f"({counted(card.size.n_reflections, 'reflection')}). Input: amplitudes scaled by `{card.scaling}`. "
        f"Trained on {counted(card.structures, 'artificial structure')} in {counted(card.steps, 'step')}"
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
    corpus += [f"structures `{source['subset_digest']}`"] if source.get("subset_digest") else []
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
