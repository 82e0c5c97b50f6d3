"""What every figure says about itself: corpus, subset, counts, convention of the cell, digests."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from typing import Literal

import pandas as pd

from xtalpriors.counted import counted

__all__ = ["Convention", "FigureMeta", "Rendered", "Sample", "count", "short_digest"]

Convention = Literal["declared", "least-oblique", "declared and least-oblique", "no cell"]


def short_digest(digest: str | None) -> str:
    """The first 12 characters of a digest, a dash where there is none."""
    return digest.removeprefix("blake2b:").removeprefix("sha256:")[:12] if digest else "–"


def count(n: float) -> str:
    """A count with thousands separators."""
    return f"{n:,.0f}"


@dataclass(frozen=True, slots=True)
class Sample:
    """The entries behind a figure, or behind one of its panels."""

    subset: str
    n: int
    n_clusters: int | None = None

    def __str__(self) -> str:
        """As the footer and the captions print it."""
        clusters = "" if self.n_clusters is None else f" in {counted(self.n_clusters, 'cluster')}"
        return f"{self.subset}: N = {count(self.n)}{clusters}"


@dataclass(frozen=True, slots=True)
class FigureMeta:
    """Identity of a figure; `footer` is printed on it."""

    corpus: str
    samples: tuple[Sample, ...]
    convention: Convention
    database_digest: str | None
    bundle_digests: dict[str, str] = field(default_factory=dict)
    generated: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    trained_volumes: dict[str, tuple[float, float]] = field(default_factory=dict)

    def footer(self, characters: int) -> str:
        """The sample and its convention, the digests that pin the input, generated sets and networks.

        Lines have at most so many characters, where words allow it.
        """
        cell = "" if self.convention == "no cell" else f"  ·  {self.convention} cell"
        first = f"{self.corpus}  ·  " + "  ·  ".join(str(s) for s in self.samples) + cell
        bundles = ", ".join(f"{name} {short_digest(d)}" for name, d in self.bundle_digests.items())
        second = f"priors {bundles or '–'}  ·  database {short_digest(self.database_digest)}"
        lines = [first, second]
        if self.generated:
            lines.append("generated: " + ", ".join(self.generated))
        lines += [f"network {text}" for text in self.networks]
        return "\n".join(part for line in lines for part in wrap(line, characters, break_on_hyphens=False))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished figure: its file name, title, caption (plain text), data, and SVG for both layouts."""

    name: str
    number: str
    title: str
    caption: str
    svg: str
    svg_narrow: str
    frame: pd.DataFrame
    meta: FigureMeta
