"""A progress bar with rate and ETA on a terminal, and nothing where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Advance(Protocol):
    """Says that `n` more items are done."""

    def __call__(self, n: int = 1, /) -> None:
        """Move the bar by `n`."""


class Progress(Protocol):
    """Opens a bar of `total` items; a library function takes one and never prints by itself."""

    def __call__(self, what: str, total: int | None, unit: str, /) -> AbstractContextManager[Advance]:
        """Context manager that yields the function to advance the bar."""


@contextmanager
def silent(what: str, total: int | None, unit: str) -> Iterator[Advance]:
    """No bar at all: the default of every library function."""
    yield lambda n=1: None


@contextmanager
def bar(what: str, total: int | None, unit: str) -> Iterator[Advance]:
    """Bar on standard error with count, rate and ETA; a plain line at start where it is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{what}: {'unknown number of' if total is None else f'{total:,}'} {unit}", file=sys.stderr)  # noqa: T201
        yield lambda n=1: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=console) as progress:
        task = progress.add_task(what, total=total, rate=f"– {unit}/s")

        def advance(n: int = 1) -> None:
            progress.advance(task, n)
            speed = progress.tasks[0].speed
            progress.update(task, rate=f"{speed:,.0f} {unit}/s" if speed else f"– {unit}/s")

        yield advance
