"""Everything a report is made from, read and matched: which bundle describes which subset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.subsets.counts import count_subset
from xtalpriors.mining.subsets.definition import DEFAULT_SUBSETS, SubsetDefinition
from xtalpriors.priors.bundle import PriorBundle, load_bundle, published_bundle
from xtalpriors.reports.corpus import Corpus, read_corpus
from xtalpriors.reports.html import words
from xtalpriors.reports.meta import Convention, FigureMeta, Sample
from xtalpriors.reports.subset_data import SubsetData, load_subset, make_subset

__all__ = ["LARGE", "SMALL", "Inputs", "definition_of", "gather", "identity"]

SMALL, LARGE = "p21c-10", "all-50"
"""The paper's two populations: P2₁/c within 4–10 Å, and any group within 4–50 Å."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the sections draw from.

    Attributes
    ----------
    name
        Name of the corpus.
    database
        File of the database.
    corpus
        The database in numbers.
    subsets
        Subsets by name; the paper's two are always there, if without rows.
    bundles
        Bundles of this database by the name of their subset.
    earlier
        Bundles of other databases, for the drift only.
    published
        The paper's bundle.
    warnings
        What the reader must know before anything else.
    shown
        Names of the subsets that a page shows side by side, the larger first; one on a subset's own page.
    """

    name: str
    database: Path
    corpus: Corpus
    subsets: dict[str, SubsetData]
    bundles: dict[str, PriorBundle]
    earlier: tuple[PriorBundle, ...]
    published: PriorBundle
    warnings: tuple[str, ...]
    shown: tuple[str, ...] = (LARGE, SMALL)

    @property
    def small(self) -> SubsetData:
        """No. 14, 4–10 Å; on a subset's own page that subset."""
        return self.subsets[self.shown[-1]]

    @property
    def large(self) -> SubsetData:
        """Any group, 4–50 Å; on a subset's own page that subset."""
        return self.subsets[self.shown[0]]

    def only(self, name: str) -> Inputs:
        """The same for the page of one subset."""
        return replace(self, shown=(name,), warnings=())

    def meta(
        self, samples: Sequence[Sample], convention: Convention, *, generated: Sequence[str] = ()
    ) -> FigureMeta:
        """Identity of a figure of some samples, with the digests of their bundles."""
        digests = {
            s.subset: self.bundles[s.subset].priors_digest for s in samples if s.subset in self.bundles
        }
        return FigureMeta(
            self.name, tuple(samples), convention, self.corpus.digest, digests, tuple(generated)
        )


def gather(database: Path, bundles: Sequence[Path], subsets: Sequence[Path]) -> Inputs:
    """Read the database, the bundles and the subsets, and match them.

    A bundle is of this database if its subset holds the same structures there as when it was fitted; others
    are kept apart for the drift and said in a warning. Subsets that are not given are selected from the
    database: those of the bundles, and the paper's two.

    Raises
    ------
    XtalpriorsError
        Something cannot be read, or bundles are given and none is of this database: the message names the
        digests.
    """
    corpus = read_corpus(database)
    current: dict[str, PriorBundle] = {}
    earlier: list[PriorBundle] = []
    loaded = [(path, load_bundle(path)) for path in bundles]
    for _, bundle in loaded:
        if bundle.name not in current and _is_of(database, corpus, bundle):
            current[bundle.name] = bundle
        else:
            earlier.append(bundle)
    if loaded and not current:
        raise XtalpriorsError(_foreign(database, corpus, loaded))
    frames, stale = _subsets(database, corpus, current, subsets)
    names = [frames[n].corpus for n in sorted(frames)] + [b.created_from.corpus for b in current.values()]
    name = next((n for n in names if n), database.resolve().parent.name)
    warnings = [*stale, *_notes(corpus, current, earlier)]
    return Inputs(
        name, Path(database), corpus, frames, current, tuple(earlier), published_bundle(), tuple(warnings)
    )


def _is_of(database: Path, corpus: Corpus, bundle: PriorBundle) -> bool:
    """Whether a bundle was fitted to structures that are those of the database now."""
    made = bundle.created_from
    if made.subset_digest is None:
        return made.database_digest == corpus.digest
    definition = definition_of(bundle)
    return definition is not None and count_subset(database, definition).digest == made.subset_digest


def _foreign(database: Path, corpus: Corpus, loaded: Sequence[tuple[Path, PriorBundle]]) -> str:
    listed = "; ".join(f"{path} is of {identity(b) or 'a publication'}" for path, b in loaded)
    return (
        f"None of the bundles belongs to the database {database} (digest {corpus.digest}): {listed}. Fit "
        f"them "
        "again (`xtalpriors subset`, then `xtalpriors fit`), or name the database they were fitted to."
    )


def _subsets(
    database: Path, corpus: Corpus, bundles: dict[str, PriorBundle], paths: Sequence[Path]
) -> tuple[dict[str, SubsetData], list[str]]:
    """Subsets by name, and a warning for each file that is of another database (it is selected anew)."""
    frames: dict[str, SubsetData] = {}
    warnings = []
    for path in paths:
        subset = load_subset(path, database)
        if subset is not None:
            frames[subset.name] = subset
        else:
            warnings.append(words("notes", "stale", path=path, now=corpus.digest))
    wanted = {name: DEFAULT_SUBSETS[name] for name in (SMALL, LARGE)}
    wanted |= {name: found for name, b in bundles.items() if (found := definition_of(b)) is not None}
    for name, definition in wanted.items():
        if name not in frames:
            frames[name] = make_subset(database, definition)
        if name in bundles and bundles[name].created_from.weighting == "best-of-cluster":
            frames[name] = frames[name].best()
    return dict(sorted(frames.items())), warnings


def identity(bundle: PriorBundle) -> str | None:
    """What a bundle was fitted to, by its digest; null where it is a publication's."""
    made = bundle.created_from
    if made.subset_digest is not None:
        return f"structures {made.subset_digest}"
    return None if made.database_digest is None else f"database {made.database_digest}"


def definition_of(bundle: PriorBundle) -> SubsetDefinition | None:
    """The subset's definition that a bundle carries; None where it carries none that can be read."""
    if bundle.created_from.subset is None:
        return None
    try:
        return SubsetDefinition.model_validate(bundle.created_from.subset)
    except ValidationError:
        return None


def _notes(corpus: Corpus, bundles: dict[str, PriorBundle], earlier: Sequence[PriorBundle]) -> list[str]:
    notes = []
    if others := [b for b in earlier if identity(b) is not None]:
        named = [f"{b.name} ({identity(b)})" for b in others]
        notes.append(words("notes", "of_another_database", now=corpus.digest, names=named))
    missing = [name for name in (SMALL, LARGE) if name not in bundles]
    if missing:
        notes.append(words("notes", "without_bundle", names=missing))
    warned = {name: len(b.warnings) for name, b in sorted(bundles.items()) if b.warnings}
    if warned:
        notes.append(words("notes", "warned", counts=warned))
    return notes
