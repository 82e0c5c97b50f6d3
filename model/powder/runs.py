"""Trained networks for powder patterns, of either kind, as methods with what they were trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.model.network.device import pick_device
from xtalpriors.model.powder.crystalnet.config import PRESETS, WHAT, CrystalNetConfig
from xtalpriors.model.powder.crystalnet.method import CrystalNetMethod
from xtalpriors.model.powder.crystalnet.train import RUN_FILES, TrainedCrystalNet, train_crystalnet
from xtalpriors.model.powder.crystalnet.weights import load_crystalnet
from xtalpriors.model.powder.data_config import DataConfig
from xtalpriors.model.powder.fourier.method import FourierMethod
from xtalpriors.model.powder.fourier.run import FILE_NAME as FOURIER_FILE
from xtalpriors.model.powder.fourier.run import RUN_FILES as FOURIER_FILES
from xtalpriors.model.powder.fourier.run import (
    FourierRunConfig,
    TrainedFourier,
    load_fourier,
    train_fourier_run,
)
from xtalpriors.model.powder.run_record import RECORD
from xtalpriors.model.powder.scoring.evaluate import MOST_TRIES
from xtalpriors.model.powder.scoring.methods import Method
from xtalpriors.model.powder.structures.candidates import Library
from xtalpriors.outputs import FileKind, check_outputs, json_with, read_object
from xtalpriors.preset_files import checked_options, preset_content
from xtalpriors.progress import Progress, silent

__all__ = ["TrainedRun", "discard_runs", "load_run", "train_preset", "write_runs_record"]

RUNS_RECORD: Final = FileKind("the record of trainings on powder patterns", json_with("runs"))


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A finished run.

    Attributes
    ----------
    method
        The network.
    data
        Crystals and split that it was trained on.
    crystals_digest
        Of its training crystals.
    is_ablation
        Whether it was told less than the composition: it is scored, and its maps are not shown.
    """

    method: Method
    data: DataConfig
    crystals_digest: str
    is_ablation: bool


def load_run(path: Path, *, device: str | None = None) -> TrainedRun:
    """A network from the folder of its run.

    Parameters
    ----------
    device
        Where CrystalNet is to run; crystalnet-fourier runs on the CPU.

    Raises
    ------
    XtalpriorsError
        There is no network, or its file is damaged.
    """
    if (Path(path) / FOURIER_FILE).exists():
        fourier, crystals, own = load_fourier(path)
        return TrainedRun(
            FourierMethod(fourier, Library(crystals), MOST_TRIES),
            own.config.data,
            own.crystals_digest,
            False,
        )
    network, card = load_crystalnet(path)
    method = CrystalNetMethod(network.to(pick_device(device)), card.config.formula, MOST_TRIES)
    is_ablation = card.config.formula != "ratios"
    return TrainedRun(method, card.config.data, card.crystals_digest, is_ablation)


def train_preset(
    preset: str,
    output: Path,
    overrides: dict[str, Any] | None = None,
    *,
    device: str | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: Progress = silent,
) -> TrainedCrystalNet | TrainedFourier | None:
    """Train what a preset describes, or go on with the run in the folder.

    Parameters
    ----------
    preset
        Of `presets/powder/`, or a YAML file.
    overrides
        Options by dotted name.
    say
        Gets the arithmetic of the run before it begins.
    """
    file, content = preset_content(preset, PRESETS, WHAT)
    name = Path(preset).stem
    if content.get("kind") == "crystalnet-fourier":
        fourier = checked_options(file, content, FourierRunConfig, overrides)
        return train_fourier_run(fourier, output, name=name, say=say)
    config = checked_options(file, content, CrystalNetConfig, overrides)
    return train_crystalnet(config, output, name=name, device=device, say=say, progress=progress)


def discard_runs(folders: Iterable[Path]) -> None:
    """Remove the files of earlier runs, and nothing else.

    Raises
    ------
    UsageError
        A file of that name is somebody else's.
    """
    for folder in folders:
        files = RUN_FILES | FOURIER_FILES
        check_outputs([(folder / name, kind) for name, kind in files.items()])
        for name in files:
            (folder / name).unlink(missing_ok=True)


def write_runs_record(folder: Path, runs: Mapping[str, Path]) -> None:
    """Write `digest.json` with what each finished run was made from, for `dvc.lock`.

    Parameters
    ----------
    folder
        Where.
    runs
        Folder of each run, by its name.
    """
    content = {"runs": {name: read_object(path / RECORD) for name, path in runs.items()}}
    write_text(folder / RECORD, canonical_json(content, indent=1) + "\n", RUNS_RECORD)
