"""Where the pipeline keeps things: the one place that spells the paths that `dvc.yaml` spells too."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

PARAMS = Path("params.yaml")
REPORTS = Path("reports")
"""Folder of the reports, one for each corpus, with an index of them."""
POWDER_RUNS = Path("data") / "models" / "powder"
"""Folder of the pipeline's training runs on powder patterns."""


@dataclass(frozen=True, slots=True)
class CorpusPaths:
    """Files of one corpus, relative to the repository root."""

    corpus: str

    @property
    def manifest(self) -> Path:
        """What the sources hold, a line a file."""
        return Path("data") / self.corpus / "manifest.parquet"

    @property
    def database(self) -> Path:
        """The mined table."""
        return Path("data") / self.corpus / "crystals.duckdb"

    @property
    def digest(self) -> Path:
        """Hash of the database's sorted content."""
        return Path("data") / self.corpus / "digest.json"

    def subset(self, name: str) -> Path:
        """Entries of a subset; its sites are beside it, as `.sites.parquet`."""
        return Path("data") / self.corpus / "subsets" / f"{name}.parquet"

    def bundle(self, name: str) -> Path:
        """Priors fitted to a subset."""
        return Path("priors") / "fitted" / self.corpus / f"{name}.json"

    @property
    def releases(self) -> Path:
        """Versions of the bundles that were released, each in a folder of its own."""
        return Path("priors") / "released" / self.corpus

    def generated(self, strategy: str) -> Path:
        """The fixed generated set of a strategy, for figures."""
        return Path("data") / self.corpus / "generated" / f"{strategy}.parquet"

    @property
    def evaluation(self) -> Path:
        """Folder of the scores of the trained network on the real structures of the corpus."""
        return Path("data") / self.corpus / "evaluation"

    def evaluation_of(self, subset: str) -> Path:
        """Scores of the trained network on a subset, of the stage `evaluate`."""
        return self.evaluation / f"{subset}.parquet"

    @property
    def evaluation_metrics(self) -> Path:
        """Their headline numbers, for `dvc metrics show`."""
        return self.evaluation / "metrics.json"

    @property
    def powder(self) -> Path:
        """Folder of the scores of networks for powder patterns."""
        return Path("data") / self.corpus / "powder"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return REPORTS / self.corpus


def run_folder(preset: str) -> Path:
    """Folder of the pipeline's training run."""
    return Path("data") / "models" / Path(preset).stem


def powder_folder(preset: str) -> Path:
    """Folder of one of the pipeline's training runs on powder patterns."""
    return POWDER_RUNS / Path(preset).stem


def published(name: str = "melgalvis-2026") -> Path:
    """The bundle of a publication, as shipped with the package."""
    return Path(str(files("xtalpriors.priors.published"))) / f"{name}.json"
