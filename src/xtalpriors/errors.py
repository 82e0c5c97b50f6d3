"""Errors that a user can act on: the command line prints them as one paragraph, without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["InterruptedRunError", "UsageError", "XtalpriorsError", "XtalpriorsWarning", "naming"]


class XtalpriorsError(Exception):
    """The run failed for a reason that the message names, with the remedy (exit status 1)."""


class XtalpriorsWarning(UserWarning):
    """Something that a user should know, although the run goes on."""


class InterruptedRunError(XtalpriorsError):
    """Ctrl-C or SIGTERM ended the run in good order; the message says what is kept (exit status 130)."""


class UsageError(XtalpriorsError):
    """The caller asked for something that cannot be (wrong option, unknown name; exit status 2)."""


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Put the file that is spoken of before the sentence of a `UsageError`."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
