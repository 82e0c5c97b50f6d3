"""`params.yaml` as one typed, frozen model: a misspelt key is an error that names the nearest right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import Field, ValidationError, field_validator

from xtalpriors.errors import UsageError
from xtalpriors.frozen_model import Frozen, explain
from xtalpriors.generator.config import CellStrategy, Filling, GeneratorConfig
from xtalpriors.mining.subsets.definition import DEFAULT_SUBSETS, SubsetDefinition

__all__ = ["Corpus", "FitParams", "GenerateParams", "MineParams", "Params", "PowderParams", "load_params"]


T = TypeVar("T")


CODE_FOLDERS: Final = ("figures", "phasing", "powder", "sections", "summary", "templates")
"""Folders of `reports/` that hold code; a corpus has its report in `reports/NAME/`."""


_EVALUATED: Final = ("p21c-10", "p21c-20", "p21c-supergroups")
_CELLS: Final[dict[str, CellStrategy]] = {
    "lognormal": "volume-lognormal",
    "uniform": "volume-uniform",
    "lengths": "axes-uniform",
}
_FILLINGS: Final[dict[str, Filling]] = {
    "molecules": "molecules",
    "random": "random",
    "equal": "equal-atoms",
}


class Corpus(Frozen):
    """A corpus: one database made from one or more sources."""

    sources: tuple[str, ...] = Field(min_length=1)
    """Each `cod:DIR`, `amcsd`, `archive:FILE` or `csd`; several are mined into one database."""


class MineParams(Frozen):
    """How mining runs; nothing here changes what comes out."""

    workers: int | None = Field(default=None, ge=1)
    """Worker processes; null is one for each core."""
    executor: str | None = None
    """A cluster, `dask://HOST:PORT` or `slurm:FILE.yaml`; null: this machine."""
    hash_new: bool = True
    """False: a new file is hashed when it is mined, so that a first run reads a large corpus once."""


class FitParams(Frozen):
    """How the priors are fitted."""

    seed: int = Field(default=1, ge=0)
    """Seed of the bootstrap."""
    bootstrap: int = Field(default=1000, ge=100)
    """Bootstrap resamples of the clusters."""
    best_of_cluster: bool = False
    """Only the best of each cluster of redeterminations counts; else each counts 1/size of its cluster."""
    ratio_max: float = Field(default=1.8, gt=1)
    """r of Melgalvis & Reķis 2026: where the fits of the axis ratios are truncated."""
    beta_max_degree: float = Field(default=125.0, gt=90, lt=180)
    """β_max of Melgalvis & Reķis 2026: where the fit of the monoclinic skew is truncated."""


class TrainParams(Frozen):
    """The training run of the pipeline."""

    preset: str = Field(default="smoke", pattern=r"^[\w-][\w.-]*$")
    """A file of presets/, by name without `.yaml`."""
    bundle: Path | None = None
    """Priors of the training structures; null is the paper's. `dvc.yaml` needs it to be given."""


class EvaluateParams(Frozen):
    """The real structures that the trained network is scored on, a subset at a time."""

    subsets: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Null is those of p21c-10, p21c-20 and p21c-supergroups that `subsets:` defines, or else all of it."""
    structures: int | None = Field(default=None, ge=1)
    """At most so many of each; null is all of them."""
    one_per_cluster: bool = True
    """Redeterminations of one crystal count once."""
    volume_range_angstrom3: tuple[float, float] | None = None
    """Only cells with a volume in this range."""


class PowderParams(Frozen):
    """Networks for powder patterns: which are trained, and how many crystals they are scored on."""

    presets: tuple[str, ...] = Field(default=("smoke", "fourier-smoke"), min_length=1)
    """Files of presets/powder/, by name without `.yaml`."""
    crystals: int | None = Field(default=10, ge=1)
    """At most so many of each set; null is all of them."""
    points: int = Field(default=25, ge=7)
    """Points of an edge of the maps; 50 in the paper."""


class PlotsParams(Frozen):
    """Which bundle `dvc plots show` draws."""

    corpus: str
    subset: str


class GenerateParams(Frozen):
    """The fixed generated sets of the report: each strategy with the same bundle, count and seed."""

    subset: str | None = None
    """The subset whose bundle is sampled; null is p21c-10, or the first of `subsets:` without it."""
    count: int = Field(default=2000, ge=1)
    seed: int = Field(default=1, ge=0)


DEFAULT_STRATEGIES: Final[dict[str, GeneratorConfig]] = {
    **{
        f"{cells}-{contents}": GeneratorConfig(cell=cell, filling=filling)
        for cells, cell in _CELLS.items()
        for contents, filling in _FILLINGS.items()
    },
    "empirical-molecules": GeneratorConfig(cell="volume-empirical", filling="molecules"),
    "fitted": GeneratorConfig(cell="fitted", filling="fitted", special_pattern="joint"),
    "phai-2024": GeneratorConfig(
        cell="volume-uniform", filling="packed", volume_min_angstrom3=300, volume_max_angstrom3=800
    ),
}
"""Rows and columns of Tables 1 and 2 of Melgalvis & Reķis 2026, the empirical volumes, ours, and
the first PhAI's (Larsen et al. 2024)."""


class Params(Frozen):
    """The whole of `params.yaml`; a section that is left out has the values that ship with the package."""

    corpora: dict[str, Corpus] = Field(default={})
    subsets: dict[str, SubsetDefinition] = Field(default=DEFAULT_SUBSETS, min_length=1)
    mine: MineParams = MineParams()
    fit: FitParams = FitParams()
    plots: PlotsParams | None = None
    train: TrainParams = TrainParams()
    evaluate: EvaluateParams = EvaluateParams()
    powder: PowderParams = PowderParams()
    generate: GenerateParams = GenerateParams()
    strategies: dict[str, GeneratorConfig] = DEFAULT_STRATEGIES

    @field_validator("corpora")
    @classmethod
    def _corpus_names(cls, value: dict[str, Corpus]) -> dict[str, Corpus]:
        """A corpus names folders, and its report must not be written among the code of the reports."""
        for name in value:
            if name.lower() in CODE_FOLDERS or Path(name).name != name or name.startswith("."):
                raise ValueError(
                    f"a corpus cannot be called '{name}': its report needs reports/{name} for itself. "
                    f"Take one plain name other than {', '.join(CODE_FOLDERS)}, which hold code"
                )
        return value

    @field_validator("subsets", mode="before")
    @classmethod
    def _name_subsets(cls, value: Any) -> Any:
        """A subset's name is its key; an empty definition, `{}`, is the one that ships with the package."""
        if not isinstance(value, dict):
            return value
        shipped = {k for k, v in value.items() if v == {} and k in DEFAULT_SUBSETS}
        named = {k: {"name": k, **v} if isinstance(v, dict) else v for k, v in value.items()}
        return {k: DEFAULT_SUBSETS[k] if k in shipped else v for k, v in named.items()}

    @property
    def evaluated_subsets(self) -> tuple[str, ...]:
        """The subsets that the network is scored on."""
        shipped = tuple(name for name in _EVALUATED if name in self.subsets)
        return self.evaluate.subsets or shipped or tuple(self.subsets)

    @property
    def generated_subset(self) -> str:
        """The subset whose bundle the stage `generate` samples."""
        first = "p21c-10" if "p21c-10" in self.subsets else next(iter(self.subsets))
        return self.generate.subset or first

    def corpus(self, name: str) -> Corpus:
        """The corpus `name`, or an error that lists the corpora there are."""
        return _pick(self.corpora, name, "corpus", "corpora")

    def subset(self, name: str) -> SubsetDefinition:
        """The subset `name`, or an error that lists the subsets there are."""
        return _pick(self.subsets, name, "subset", "subsets")

    def strategy(self, name: str) -> GeneratorConfig:
        """The generator strategy `name`, or an error that lists the strategies there are."""
        return _pick(self.strategies, name, "strategy", "strategies")


def _pick(table: dict[str, T], name: str, one: str, key: str) -> T:
    if name not in table:
        raise UsageError(
            f"There is no {one} '{name}' in params.yaml; `{key}:` there has: {', '.join(table)}."
        )
    return table[name]


def load_params(path: Path) -> Params:
    """Read and check `params.yaml`.

    Raises
    ------
    UsageError
        The file is missing, is no YAML, or holds a key or a value that the model does not allow; the
        message names the place, and for an unknown key the nearest one that exists.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no {path}: run this in the folder that holds params.yaml, or give the options of "
            "the command itself (see --help)."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read as YAML: {error}") from error
    try:
        return Params.model_validate({} if raw is None else raw)
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, Params, 'parameter')}") from error
