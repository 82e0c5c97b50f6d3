"""The command line: parses arguments and calls the library; each command imports what it needs.

Exit status: 0 done, 1 the run failed, 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import sys
import textwrap
import traceback
from collections.abc import Iterable
from typing import Annotated

import typer

from xtalpriors import __version__
from xtalpriors.cli.common import say
from xtalpriors.cli.generate import generate
from xtalpriors.cli.mining import manifest, mine, subset, sync
from xtalpriors.cli.model import evaluate, matrix, predict, train
from xtalpriors.cli.priors import fit, priors_app, report
from xtalpriors.errors import InterruptedRunError, UsageError, XtalpriorsError
from xtalpriors.lazy import keep_out

INTERRUPTED = 130
"""Exit status after Ctrl-C, as of shells."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Crystal databases in, generator priors out: mine CIFs into DuckDB, fit priors, generate artificial "
    "crystal structures, train and test a phasing network on them, write figure reports. Without options a "
    "stage of the pipeline reads params.yaml.",
)
for command in (sync, manifest, mine, subset, fit, generate, train, evaluate, predict, matrix, report):
    app.command()(command)
app.add_typer(priors_app, name="priors")


@app.callback(invoke_without_command=True)
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", metavar="", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Print the version and stop.")
    ] = False,
) -> None:
    if version:
        say(f"xtalpriors {__version__}")
        raise typer.Exit


def _paragraph(lines: Iterable[str]) -> str:
    return "\n".join(
        textwrap.fill(line, 100, break_long_words=False, break_on_hyphens=False) for line in lines
    )


def _fail(message: str) -> None:
    print(_paragraph(f"xtalpriors: {message}".splitlines()), file=sys.stderr)  # noqa: T201


def main() -> None:
    """Run the command line and exit with its status."""
    if sys.argv[1:2] and sys.argv[1] in ("manifest", "mine", "subset"):
        keep_out("pandas")
    try:
        status = run(sys.argv[1:])
    except BrokenPipeError:
        sys.stderr.close()
        status = 1
    sys.exit(status)


def run(arguments: list[str]) -> int:
    """Exit status of a command line; errors are one paragraph, with the traceback under --debug."""
    debug = "--debug" in arguments
    try:
        status = app(
            args=[a for a in arguments if a != "--debug"], prog_name="xtalpriors", standalone_mode=False
        )
        if status == INTERRUPTED:  # the parser catches Ctrl-C itself
            raise KeyboardInterrupt
        return int(status or 0)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted; what was finished is kept, and the same command goes on from there.")
        return INTERRUPTED
    except (XtalpriorsError, OSError, MemoryError) as error:
        if debug:
            traceback.print_exc()
        _fail(str(error) or type(error).__name__)
        if isinstance(error, InterruptedRunError):
            return INTERRUPTED
        return 2 if isinstance(error, UsageError) else 1
    except Exception as error:  # noqa: BLE001 - the last resort: wrong use and bugs are said in a sentence
        wrong_use = getattr(error, "format_message", None)  # the parser's own errors
        if wrong_use is not None:
            if not wrong_use():
                return 2  # no command: the help has been printed
            _fail(
                f"{wrong_use()} (see 'xtalpriors {arguments[0] if arguments else ''} --help')".replace(
                    "  ", " "
                )
            )
            return 2
        if debug:
            traceback.print_exc()
        _fail(f"a bug: {type(error).__name__}: {error}. Please report it with what --debug prints.")
        return 1
