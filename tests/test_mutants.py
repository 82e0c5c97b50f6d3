"""The list of faults of `benchmarks/mutants.py` follows the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_fault_of_the_list_can_be_put_in() -> None:
    """Each text stands exactly once in its file, and the tests named beside it are there."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "mutants.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) >= 60
