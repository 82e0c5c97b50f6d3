"""A progress bar with rate and time left on a terminal, and a few plain lines where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from xtalpriors.counted import counted, plural

if TYPE_CHECKING:
    from rich.console import Console

SECONDS_BETWEEN_LINES: Final = 10.0
"""Where there is no terminal, notes are printed no more often than this."""


class Advance(Protocol):
    """Says that `n` more items are done."""

    def __call__(self, n: int = 1, /, *, note: str = "") -> None:
        """Move the bar by `n`; `note` says in a line how the work goes, and stays until the next one."""


class Progress(Protocol):
    """Opens a bar of `total` items; a library function takes one and never prints by itself."""

    def __call__(self, what: str, total: int | None, unit: str, /) -> AbstractContextManager[Advance]:
        """Context manager that yields the function to advance the bar; `unit` is a noun in the singular."""


@contextmanager
def silent(what: str, total: int | None, unit: str) -> Iterator[Advance]:
    """No bar at all: the default of every library function."""
    yield lambda n=1, note="": None


@contextmanager
def bar(what: str, total: int | None, unit: str) -> Iterator[Advance]:
    """Bar on standard error with count, rate, time left and note.

    Where it is no terminal: a line at the start, and one for a new note every ten seconds at most.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _live(console, what, total, unit) as advance:
            yield advance
    else:
        yield _Lines(what, total, unit)


@contextmanager
def _live(console: Console, what: str, total: int | None, unit: str) -> Iterator[Advance]:
    from rich.console import Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    progress = RichProgress(*columns, console=console)
    task = progress.add_task(what, total=total, rate=f"– {plural(unit)}/s")
    below = Text()
    with Live(get_renderable=lambda: Group(progress, below) if below else progress, console=console):

        def advance(n: int = 1, /, *, note: str = "") -> None:
            """As `Advance`: move the bar, renew its rate, and show a new note under it."""
            progress.advance(task, n)
            speed = progress.tasks[0].speed
            progress.update(task, rate=_rate(speed, unit) if speed else f"– {plural(unit)}/s")
            if note:
                below.plain = note

        yield advance


class _Lines:
    """Lines on standard error."""

    def __init__(self, what: str, total: int | None, unit: str) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._done, self._first = 0, 0
        self._start: float | None = None
        self._last_time, self._last_note = -SECONDS_BETWEEN_LINES, ""
        _say(f"{what} …" if total is None else f"{what}: {counted(total, unit)}")

    def __call__(self, n: int = 1, /, *, note: str = "") -> None:
        """Count, and print a new note if the one before is old enough."""
        now = monotonic()
        self._done += n
        if self._start is None:  # what a resumed run had done before is no measure of its speed
            self._start, self._first = now, self._done
        if note and note != self._last_note and now - self._last_time >= SECONDS_BETWEEN_LINES:
            self._last_time, self._last_note = now, note
            _say(f"{self._what}: {self._standing(now - self._start)}; {note}")

    def _standing(self, seconds: float) -> str:
        """`25,600 of 51,200 structures, 600 structures/s, 0:00:43 left`."""
        done, total = self._done, self._total
        text = counted(done, self._unit) if total is None else f"{done:,} of {counted(total, self._unit)}"
        if self._done == self._first or seconds <= 0:
            return text
        rate = (self._done - self._first) / seconds
        text += f", {_rate(rate, self._unit)}"
        left = None if self._total is None else timedelta(seconds=round((self._total - self._done) / rate))
        return text if left is None else f"{text}, {left} left"


def _rate(per_second: float, unit: str) -> str:
    """`600 structures/s`; below one a second by the minute, `7.5 steps a minute`."""
    if per_second >= 1.0:
        return f"{per_second:,.0f} {plural(unit)}/s"
    return f"{60.0 * per_second:,.1f} {plural(unit)} a minute"


def _say(line: str) -> None:
    with suppress(OSError):  # nobody reads it any more: no reason to stop the work
        print(line, file=sys.stderr, flush=True)  # noqa: T201
