"""Another program, run in the C locale and read line by line, that ends when this one is asked to end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from xtalpriors.errors import InterruptedRunError, XtalpriorsError
from xtalpriors.interrupts import stop_flag
from xtalpriors.parent_end import signal_at_parents_end

__all__ = ["interruption", "require_program", "run_program"]


def require_program(name: str, package: str) -> None:
    """Check that a program is installed.

    Raises
    ------
    XtalpriorsError
        It is not.
    """
    if shutil.which(name) is None:
        raise XtalpriorsError(
            f"The program {name} is not installed here. Most systems have it in a package called {package}."
        )


def run_program(
    command: Sequence[str], take_line: Callable[[str], bool], *, cwd: Path | None = None
) -> tuple[int, str]:
    """Run a program until it ends.

    Parameters
    ----------
    command
        Program and arguments. It runs in a session of its own, so that Ctrl-C reaches it once, through here.
    take_line
        Called with each line of standard output. When this says False, the program is stopped; what it had
        still to say follows.

    Returns
    -------
    Its exit status, negative for the signal that ended it, and the end of what it said on standard error.

    Raises
    ------
    InterruptedRunError
        By Ctrl-C or SIGTERM; the program has been stopped, as by SIGTERM.
    """
    with stop_flag() as stopped, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=cwd,
            env=os.environ | {"LC_ALL": "C"},
            start_new_session=True,
            preexec_fn=partial(signal_at_parents_end, signal.SIGTERM),
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
        assert process.stdout is not None
        watcher = _watch(process, stopped.wait)
        try:
            is_enough = False
            for line in process.stdout:  # until its children, which tidy up, are gone too
                if not stopped.is_set() and not take_line(line.rstrip("\n")) and not is_enough:
                    is_enough = True
                    _end(process)
            process.stdout.close()
            status = process.wait()
        finally:
            _end(process)
            process.wait()
            is_stopped = stopped.is_set()
            stopped.set()  # ends the watcher
            watcher.join()
        if is_stopped:
            raise interruption()
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2_000))
        return status, errors.read().decode("utf-8", "backslashreplace").strip()


def interruption() -> InterruptedRunError:
    """What an update that was stopped says."""
    return InterruptedRunError("Interrupted: what has come is kept, and the same call goes on from there.")


def _watch(process: subprocess.Popen[str], wait: Callable[[], bool]) -> threading.Thread:
    """Ends the program once asked to, also while it prints nothing."""

    def watch() -> None:
        """Wait until the program is to stop, and end it."""
        wait()
        _end(process)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def _end(process: subprocess.Popen[str]) -> None:
    """SIGTERM to the program and its children, if it still runs: rsync and svn end in good order by it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
