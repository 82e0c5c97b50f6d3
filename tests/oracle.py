"""Independent libraries as oracles, each in a process of its own: some crash on bad input or beside gemmi."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import Any

import pytest


def ask(package: str, script: str, question: object, timeout_seconds: float = 120.0) -> Any:
    """Answer of a script that reads `question` (JSON) and sets `answer`; a skip where the package is missing.

    The script runs with `question` defined and without any module of this package.
    """
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}, a test extra of pyproject.toml")
    code = f"import json, sys\nquestion = json.load(sys.stdin)\n{script}\nprint(json.dumps(answer))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    assert run.returncode == 0, f"{package} failed with status {run.returncode}:\n{run.stderr[-2000:]}"
    return json.loads(run.stdout.splitlines()[-1])
