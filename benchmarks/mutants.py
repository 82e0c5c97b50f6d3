"""Which of the faults in `mutants.toml` the tests see.

Each fault is a slip that a competent programmer makes (a wrong sign, a missing weight, an argument that is
ignored), put into a copy of the tree by replacing one text; the tests named beside it must then fail. A fault
that survives shows what the tests do not look at.

The faults are written by hand because the known mutation tools (mutmut, cosmic-ray, mutatest) do not cope
with this code: they switch a fault on inside a running process, while numba compiles a kernel once and keeps
the machine code on disk, so that a changed kernel would run as it was before; and most of their replacements
(`+` by `-`, 1 by 2) stop a kernel from compiling or change nothing that matters.

Here each fault is one process, on a copy of the tree, with a time limit. The folder of a compiled kernel is
named by a hash of all sources that it can contain (`xtalpriors.compilation`), so a fault never runs on the
machine code of another, and compiles anew only the kernels that it can be in.

Run as `python benchmarks/mutants.py`, with `--only PATTERN` for the faults whose file or slip matches a
regular expression, with `--check` to see only that each text stands exactly once in its file. The exit status
is 1 where a fault survives, and 2 where the list does not fit the code or the unchanged code fails its tests.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Fault:
    """One slip.

    Attributes
    ----------
    file
        File that it stands in, from the root of the repository.
    text, becomes
        What stands there, exactly once, and what it becomes.
    slip
        What the slip is, in one line.
    tests
        Files or folders of tests that ought to see it.
    """

    file: str
    text: str
    becomes: str
    slip: str
    tests: tuple[str, ...]

    @property
    def package(self) -> str:
        """Folder of the package that the fault is in."""
        return self.file.split("/", 1)[0]

    def misfit(self) -> str | None:
        """Why the fault does not fit the tree, None where it does."""
        path = ROOT / self.file
        if not path.is_file():
            return f"{self.file} is not there"
        count = path.read_text().count(self.text)
        if count != 1:
            return f"{self.text!r} stands {count} times in {self.file}, not once"
        missing = [test for test in self.tests if not (ROOT / test).exists()]
        return f"{', '.join(missing)} is not there" if missing else None


def read_faults() -> list[Fault]:
    """The list, in the order of the file."""
    entries = tomllib.loads(LIST.read_text())["fault"]
    return [Fault(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


class Copy:
    """A copy of the tree, importable as the package, with a kernel cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tree = folder, folder / "tree"
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.tree / name)
        # the same mapping as the editable install: one package from folders of several places
        mapping = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
        package = folder / "packages" / "xtalpriors"
        package.mkdir(parents=True)
        for source in (self.tree / mapping.pop("xtalpriors")).iterdir():
            (package / source.name).symlink_to(source)
        for name, source in mapping.items():
            (package / name.split(".")[1]).symlink_to(self.tree / source)

    @contextmanager
    def changed(self, fault: Fault) -> Iterator[None]:
        """Put the fault in for as long as the context lasts."""
        path = self.tree / fault.file
        before = path.read_text()
        path.write_text(before.replace(fault.text, fault.becomes))
        try:
            yield
        finally:
            path.write_text(before)

    def test(self, tests: tuple[str, ...], limit_seconds: float) -> tuple[int | None, str]:
        """Exit status of pytest, None past the time limit, and what it printed."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder / "packages"),
            "PYTHONDONTWRITEBYTECODE": "1",  # a .pyc is told from its source by whole seconds and the size
            "NUMBA_CACHE_DIR": str(self.folder / "kernels"),
        }
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-n", "0", *tests]
        process = subprocess.Popen(
            command, cwd=self.tree, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            printed = process.communicate(timeout=limit_seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None, process.communicate()[0]
        return process.returncode, printed


def outcome(status: int | None, printed: str) -> tuple[str, str]:
    """`killed`, `survived` or `error` of pytest's exit status, and the test or line that says so."""
    if status is None:
        return "killed", "time limit"
    if status == 0:
        return "survived", ""
    lines = printed.splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))] or lines[-1:] or [""]
    # 1: a test failed; 2: a file of tests could not be imported; anything else is no answer
    return "killed" if status in (1, 2) else "error", failed[0].split(" - ")[0]


def unchanged_passes(copy: Copy, faults: list[Fault], limit_seconds: float) -> bool:
    """Whether the tests pass on the code as it is; prints what they say where they do not."""
    tests = tuple(sorted({test for fault in faults for test in fault.tests}))
    start = time.monotonic()
    status, printed = copy.test(tests, limit_seconds * len(tests))
    print(
        f"{'passes' if status == 0 else 'FAILS':9s}{time.monotonic() - start:6.0f} s  the code as it is",
        flush=True,
    )
    if status != 0:
        print(printed[-4000:])
    return status == 0


def run(faults: list[Fault], jobs: int, limit_seconds: float, *, unchanged: bool) -> int:
    """Put in one fault after the other, and print a line for each and the shares; the exit status."""
    results: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            copies.put(Copy(Path(name) / str(number)))
        if unchanged:
            copy = copies.get()
            if not unchanged_passes(copy, faults, limit_seconds):
                return 2
            copies.put(copy)

        def one(fault: Fault) -> None:
            copy, start = copies.get(), time.monotonic()
            with copy.changed(fault):
                what, why = outcome(*copy.test(fault.tests, limit_seconds))
            copies.put(copy)
            results[fault.package, what] += 1
            print(
                f"{what:9s}{time.monotonic() - start:6.0f} s  {fault.file}: {fault.slip}  {why}", flush=True
            )

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, faults))
    for package in [*dict.fromkeys(fault.package for fault in faults), ""]:
        killed, survived, errors = (
            sum(n for (p, w), n in results.items() if w == what and package in ("", p))
            for what in ("killed", "survived", "error")
        )
        share = 100 * killed / max(1, killed + survived)
        print(f"{package or 'all':10s} killed {killed}, survived {survived}, errors {errors}: {share:.0f} %")
    return 2 if errors else 1 if survived else 0


def main() -> int:
    """Read the list and the arguments; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only see that the list fits the code")
    parser.add_argument("--only", default="", metavar="PATTERN", help="faults whose file or slip holds it")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one file of tests")
    parser.add_argument("--mutants-only", action="store_true", help="do not test the unchanged code first")
    options = parser.parse_args()
    every = read_faults()
    misfits = list(filter(None, (fault.misfit() for fault in every)))
    if misfits or options.check:
        print("\n".join(misfits) or f"{len(every)} faults, each found once in its file")
        return 2 if misfits else 0
    faults = [f for f in every if re.search(options.only, f"{f.file}: {f.slip}")]
    return run(faults, options.jobs, options.limit, unchanged=not options.mutants_only)


if __name__ == "__main__":
    sys.exit(main())
