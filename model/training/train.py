"""Train a network on the generator's stream, anew or from the last checkpoint of its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from xtalpriors.atomic_write import write_text
from xtalpriors.errors import UsageError
from xtalpriors.interrupts import stop_flag
from xtalpriors.model.network.card import CARD_FILES
from xtalpriors.model.network.curve import CURVE, CURVE_FILE
from xtalpriors.model.network.weights import FILE_NAME, NETWORK
from xtalpriors.model.training.checkpoint import (
    CHECKPOINT,
    check_same_run,
    checkpoint_files,
    latest,
    load_checkpoint,
)
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.model.training.distributed import processes
from xtalpriors.model.training.feed import Feed
from xtalpriors.model.training.journal import LOG, LOG_FILE, Journal
from xtalpriors.model.training.loop import (
    METRICS,
    METRICS_FILE,
    RECORD,
    RECORD_FILE,
    TrainingLoop,
    TrainResult,
)
from xtalpriors.model.training.session import settings
from xtalpriors.model.training.trainer import Trainer, make_stream
from xtalpriors.model.training.validation import ValidationSet, generated_set
from xtalpriors.outputs import FileKind, check_folder, check_outputs
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.progress import Progress, silent

__all__ = ["discard_run", "train"]


def _is_configuration(path: Path) -> bool:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        return False
    return isinstance(content, dict) and {"network", "structures", "data", "optimiser"} <= content.keys()


CONFIG = FileKind("the configuration of a training", _is_configuration)
RUN_FILES: dict[str, FileKind] = {
    FILE_NAME: NETWORK,
    **CARD_FILES,
    "config.yaml": CONFIG,
    METRICS_FILE: METRICS,
    CURVE_FILE: CURVE,
    LOG_FILE: LOG,
    RECORD_FILE: RECORD,
}
"""Names and kinds of what a run writes into its folder, beside `checkpoints/`."""


def train(
    config: TrainConfig,
    bundle: PriorBundle,
    output: Path,
    *,
    resume: bool = False,
    device: str | None = None,
    validation: Sequence[ValidationSet] = (),
    progress: Progress = silent,
    stop_after_steps: int | None = None,
) -> TrainResult | None:
    """Train a network.

    Parameters
    ----------
    config
        The run, from `xtalpriors.model.training.presets.load_preset` or `config.make_config`.
    bundle
        Priors of the training structures.
    output
        Folder of the run.
    resume
        Go on from the last checkpoint there (from the start where there is none). What comes out is bit for
        bit what the run would have given without a stop, on the same device with the same threads.
    device
        `cpu`, `cuda` or `cuda:N`; null: CUDA where there is one. Under `torchrun` each process takes its own.
    validation
        Sets to score on besides the fixed generated one, experimental structures for instance.
    stop_after_steps
        Stop after so many steps of the run with a checkpoint, as an interrupt does.

    Returns
    -------
    TrainResult | None
        None in all but the first of several processes, and after `stop_after_steps`.

    Raises
    ------
    UsageError
        The folder holds another run, or one and `resume` is false, or a file of somebody else that the run
        would replace; a device that is not there.
    XtalpriorsError
        A damaged checkpoint; a loss that is not finite; whatever the stream raises.
    KeyboardInterrupt
        After an interrupt (or SIGTERM), once the checkpoint is written.
    """
    with (
        processes(device) as group,
        settings(config),
        stop_flag("Interrupted: the step or scores at hand are finished, a checkpoint written") as stopped,
    ):
        _check_run_folder(output)
        trainer = Trainer(config, bundle, group)
        stream = make_stream(config, bundle, group)
        file = latest(output / "checkpoints")
        if file is None and (output / FILE_NAME).exists():
            raise UsageError(
                f"{output} holds a network without checkpoints, which would be replaced: choose another "
                "--output."
            )
        if not resume and file is not None:
            raise UsageError(
                f"{output} holds a run already: say --resume to go on with it, or choose another --output."
            )
        group.wait()
        if file is not None:
            checkpoint = load_checkpoint(file)
            check_same_run(checkpoint.state, config, bundle, file)
            trainer.restore(checkpoint)
            position = {"position": trainer.steps_done}
            stream.load_state_dict(stream.state_dict() | position)
        if group.first:
            text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
            write_text(output / "config.yaml", text, CONFIG)
        sets = [generated_set(config, bundle, trainer.reflections), *validation]
        journal = Journal(output, write=group.first, step=trainer.steps_done)
        loop = TrainingLoop(trainer, journal, output, sets, bundle)
        shown = progress if group.first else silent
        with shown("training", config.steps * config.optimiser.batch_size, "structure") as advance:
            advance(trainer.structures)
            feed = Feed(stream, group.device, config.data_threads)
            for _ in loop.steps(feed, stopped, stop_after_steps):
                advance(config.optimiser.batch_size, note=journal.headline)
        if stopped.is_set():
            raise KeyboardInterrupt
        return loop.finish() if trainer.steps_done == config.steps and group.first else None


def discard_run(folder: Path) -> None:
    """Remove what `train` wrote in a folder, so that a run can start there; other files stay.

    Raises
    ------
    UsageError
        A file has the name of one that `train` writes and is something else; nothing is removed then.
    """
    _check_run_folder(folder)
    checkpoints = checkpoint_files(folder / "checkpoints")
    check_outputs((path, CHECKPOINT) for path in checkpoints)
    for path in [*(folder / name for name in RUN_FILES), *checkpoints]:
        path.unlink(missing_ok=True)


def _check_run_folder(folder: Path) -> None:
    """Raise UsageError if a file would be replaced that no training wrote."""
    check_folder(folder)
    check_folder(folder / "checkpoints")
    check_outputs((folder / name, kind) for name, kind in RUN_FILES.items())
