"""Where the tests find a real corpus that is not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def corpus_dir(part: str) -> Path:
    """Folder `part` (`cod`, `dirty`, `reflections`) of the real corpus, or a skip that says why.

    The corpus is looked for in `$XTALPRIORS_CORPUS`, then in `../shared/corpus` beside the checkout.
    """
    given = os.environ.get("XTALPRIORS_CORPUS")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "corpus"
    folder = root / part
    if not folder.is_dir():
        pytest.skip(f"needs the real corpus: {folder} is not there (set XTALPRIORS_CORPUS to its folder)")
    return folder
