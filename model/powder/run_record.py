"""What a finished training on powder patterns was made from: `digest.json` in its folder, for `dvc.lock`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.frozen_model import Frozen
from xtalpriors.outputs import FileKind, json_with

__all__ = ["RECORD", "RUN_RECORD", "write_run_record"]

RECORD: Final = "digest.json"
RUN_RECORD: Final = FileKind("the record of a training", json_with("kind", "config"))


def write_run_record(folder: Path, kind: str, config: Frozen, crystals_digest: str) -> None:
    """Write the record of a run.

    Parameters
    ----------
    folder
        Of the run.
    kind, config
        The network and its configuration.
    crystals_digest
        Of the training crystals.
    """
    record = {"kind": kind, "config": config.model_dump(mode="json"), "crystals_digest": crystals_digest}
    write_text(folder / RECORD, canonical_json(record, indent=1) + "\n", RUN_RECORD)
