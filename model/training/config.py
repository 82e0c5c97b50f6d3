"""How a network is trained: one frozen model, every default with its reason; presets are files of it."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from xtalpriors.canonical_json import digest
from xtalpriors.errors import UsageError
from xtalpriors.frozen_model import Frozen, explain
from xtalpriors.generator.config import GeneratorConfig, space_group_of
from xtalpriors.model.network.inputs import Scaling, maps_of
from xtalpriors.model.network.phai import SIZES, NetworkSize
from xtalpriors.model.network.reflections import LARGEST_INDEX, Reflections

__all__ = [
    "AveragingConfig",
    "DataConfig",
    "OptimiserConfig",
    "RecyclingConfig",
    "ScheduleConfig",
    "TrainConfig",
    "ValidationConfig",
    "make_config",
]

Draw = float | tuple[float, float] | Literal["bundle"]


class DataConfig(Frozen):
    """The structures and their diffraction."""

    generator: GeneratorConfig = Field(
        default=GeneratorConfig(), description="Strategy: its options are `data.generator.cell` and so on"
    )
    seed: int = Field(default=1, ge=0, description="Of the stream of structures")
    max_index: int = Field(
        default=10, ge=1, le=LARGEST_INDEX, description="Largest index of the box of reflections"
    )
    d_min_angstrom: Draw = Field(
        default=1.0, description="Resolution: a number, a range to draw from, or `bundle` (its prior)"
    )
    completeness: Draw = Field(default=1.0, description="Share of the reflections given, likewise")


class RecyclingConfig(Frozen):
    """Phase recycling in training."""

    cycles: tuple[int, ...] = Field(
        default=(3,), min_length=1, description="N_c is drawn from these: (3,) in 2026, (1, 2, 3) in 2024"
    )
    initial: Literal["zero", "random"] = Field(default="random", description="Phases of the first cycle")

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if min(self.cycles) < 1:
            raise ValueError("cycles: a network is asked at least once")
        return self


class OptimiserConfig(Frozen):
    """The optimiser; defaults of Melgalvis & Reķis 2026, section 2."""

    name: Literal["adamw", "rmsprop", "muon"] = Field(
        default="adamw", description="rmsprop in 2024, adamw in 2026; muon learns more from each structure"
    )
    learning_rate: float = Field(default=5e-4, gt=0, description="The largest; `schedule` lowers it")
    weight_decay: float = Field(default=1e-6, ge=0, description="Decoupled for adamw and muon")
    batch_size: int = Field(default=64, ge=1, description="Structures a step, over all processes")
    clip_norm: float | None = Field(
        default=None, gt=0, description="Largest norm of the gradient; null: as it is"
    )


class ScheduleConfig(Frozen):
    """The learning rate as a function of the step, or of the loss."""

    kind: Literal["constant", "cosine", "plateau"] = Field(
        default="plateau", description="Course of the learning rate"
    )
    warmup_structures: int = Field(
        default=0, ge=0, description="Linear from 0, for large rates and small batches"
    )
    final_share: float = Field(default=0.0, ge=0, le=1, description="`cosine`: last over first learning rate")
    levels: tuple[float, ...] = Field(
        default=(1.0, 0.1, 0.02), description="`plateau`: the rate in parts; 5e-4, 5e-5, 1e-5 in 2026"
    )
    window_structures: int = Field(
        default=200_000, ge=1, description="`plateau`: structures of one mean of the loss"
    )
    patience: int = Field(
        default=10, ge=1, description="`plateau`: windows without a better mean before the next level"
    )
    threshold: float = Field(default=1e-3, ge=0, description="`plateau`: what counts as better, relative")


class AveragingConfig(Frozen):
    """Exponential moving average of the weights, which is what is validated and saved."""

    decay: float | None = Field(
        default=None, gt=0, lt=1, description="null: the last weights themselves, as in the papers"
    )


class ValidationConfig(Frozen):
    """The fixed generated set: the strategy of `generator`, a seed of its own."""

    count: int = Field(default=2048, ge=1, description="Structures of the set")
    seed: int = Field(default=20260101, ge=0, description="Never the seed of the training stream")
    every_structures: int = Field(default=1_000_000, ge=1, description="Scored after so many structures")
    cycles: int = Field(default=3, ge=1, description="From all-zero phases, one run: no choice among several")
    generator: GeneratorConfig | None = Field(default=None, description="null: that of the training data")


class TrainConfig(Frozen):
    """A training run; together with the bundle and the code it says everything."""

    name: str = Field(default="phai", min_length=1, description="Name of the run, in its model card")
    size: str = Field(default="phai", description=f"One of {', '.join(SIZES)}; `network` overrides parts")
    network: dict[str, int] = Field(
        default_factory=dict, description="filters, residual_blocks, token_width, …"
    )
    data: DataConfig = DataConfig()
    structures: int = Field(default=100_000_000, ge=1, description="Rounded up to whole batches")
    scaling: Scaling = Field(
        default="maximum", description="Scale of the amplitudes; Harker maps beside |E|, where it says so"
    )
    recycling: RecyclingConfig = RecyclingConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    averaging: AveragingConfig = AveragingConfig()
    loss_weights: Literal["mean-amplitude", "amplitude", "intensity"] = Field(
        default="mean-amplitude",
        description="Weight of a reflection in the loss: its mean over the stream, as published, or |F| or "
        "|F|² of each structure, which is what r counts",
    )
    loss_weight_structures: int = Field(
        default=16_384, ge=1, description="Structures whose mean amplitude weights the loss"
    )
    validation: ValidationConfig = ValidationConfig()
    precision: Literal["bf16", "fp32"] = Field(
        default="bf16", description="Number format of the products (autocast)"
    )
    channels_last: bool = Field(default=False, description="Memory format of the convolutions")
    compile: bool = Field(default=False, description="torch.compile, where it works")
    threads: int | None = Field(
        default=None, ge=1, description="Threads of torch on a CPU; sums depend on it in the last bit"
    )
    deterministic: bool = Field(
        default=True, description="On CUDA only convolutions that give the same bits each time"
    )
    data_threads: int = Field(default=2, ge=1, description="Threads that make batches; change nothing else")
    seed: int = Field(default=1, ge=0, description="Initial weights, N_c and initial phases")
    log_every_structures: int = Field(default=50_000, ge=1, description="A line in the log")
    checkpoint_every_structures: int = Field(default=1_000_000, ge=1, description="A file to resume from")
    weights_dtype: Literal["float32", "bfloat16"] = Field(
        default="float32", description="Number format of the weights in the file"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.size not in SIZES:
            raise ValueError(f"size: there is no size '{self.size}'; there are: {', '.join(SIZES)}")
        given = set(self.network)
        free = set(NetworkSize.model_fields) - {"box", "n_reflections", "maps"}
        if given - free:
            raise ValueError(
                f"network: unknown {', '.join(sorted(given - free))}; there are: {', '.join(sorted(free))}"
            )
        own = self.validation.generator
        if self.validation.seed == self.data.seed and own in (None, self.data.generator):
            raise ValueError("validation.seed: it is that of the training data, which would be validated on")
        if own is not None and space_group_of(own.space_group) != space_group_of(
            self.data.generator.space_group
        ):
            raise ValueError("validation.generator: another space group than the network's")
        return self

    def reflections(self) -> Reflections:
        """The network's reflections."""
        return Reflections(space_group_of(self.data.generator.space_group), self.data.max_index)

    def network_size(self, reflections: Reflections) -> NetworkSize:
        """The network's shape for these reflections."""
        shape = SIZES[self.size].model_dump() | self.network
        shape |= {
            "box": reflections.box.shape,
            "n_reflections": len(reflections.hkl),
            "maps": maps_of(self.scaling),
        }
        return NetworkSize.model_validate(shape)

    @property
    def steps(self) -> int:
        """Steps of the optimiser in the whole run."""
        return -(-self.structures // self.optimiser.batch_size)

    @property
    def digest(self) -> str:
        """BLAKE2b-128 of the configuration."""
        return digest(self.model_dump(mode="json"))


def make_config(content: dict[str, Any], where: str = "the training configuration") -> TrainConfig:
    """A configuration from plain values, with errors for a person.

    Raises
    ------
    UsageError
        An unknown key (the message names the nearest one) or a value that is not allowed.
    """
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{where}: {explain(error, TrainConfig)}") from error
