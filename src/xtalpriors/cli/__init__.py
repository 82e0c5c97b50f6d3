"""The command line: parses arguments and calls the library; each command imports what it needs.

Exit status: 0 done, 1 the run failed, 2 wrong use, 3 `solve` found no sure structure, 130 interrupted.
"""

from __future__ import annotations

import errno
import shlex
import sys
import textwrap
import traceback
import warnings
from contextlib import suppress
from typing import Annotated, Any, TextIO

import typer

from xtalpriors import __version__
from xtalpriors.cli.commands import Command, Group
from xtalpriors.cli.common import say, to_nowhere
from xtalpriors.cli.dual_space import dual_space
from xtalpriors.cli.generate import generate
from xtalpriors.cli.mining import manifest, mine, subset, sync
from xtalpriors.cli.model import evaluate, matrix, predict, train
from xtalpriors.cli.molecules import molecules
from xtalpriors.cli.powder import powder_app
from xtalpriors.cli.priors import fit, priors_app, report
from xtalpriors.cli.seeding import seed_study
from xtalpriors.cli.solving import solve
from xtalpriors.cli.summary import summary
from xtalpriors.errors import InterruptedRunError, UsageError, XtalpriorsError, XtalpriorsWarning
from xtalpriors.interrupts import interruptible
from xtalpriors.lazy import keep_out

INTERRUPTED = 130
"""Exit status after Ctrl-C, as of shells."""

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Crystal databases in, generator priors out: mine CIFs into DuckDB, fit priors, generate artificial "
    "crystal structures, train and test a phasing network on them, write figure reports. Without options a "
    "stage of the pipeline reads params.yaml.",
)
COMMANDS = (
    sync,
    manifest,
    mine,
    subset,
    fit,
    molecules,
    generate,
    train,
    evaluate,
    predict,
    solve,
    seed_study,
    matrix,
    dual_space,
    report,
    summary,
)
for command in COMMANDS:
    app.command(cls=Command)(command)
app.add_typer(priors_app, name="priors")
app.add_typer(powder_app, name="powder")


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


def _fail(message: str) -> None:
    """Print a message on standard error, wrapped; indented lines are commands and stay whole."""
    lines = [
        line
        if line.startswith("    ")
        else textwrap.fill(line, 100, break_long_words=False, break_on_hyphens=False)
        for line in f"xtalpriors: {message}".splitlines()
    ]
    with suppress(OSError):
        print("\n".join(lines), file=sys.stderr)  # noqa: T201


def main() -> None:
    """Run the command line and exit with its status."""
    if sys.argv[1:2] and sys.argv[1] in ("manifest", "mine", "subset"):
        keep_out("pandas")
    warnings.showwarning = _show_warning
    sys.exit(run(sys.argv[1:]))


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning of this project as a sentence, any other as Python prints it."""
    if issubclass(category, XtalpriorsWarning):
        _fail(str(message))
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), file=file or sys.stderr)


def run(arguments: list[str]) -> int:
    """Exit status of a command line; errors are one paragraph, with the traceback under --debug."""
    given = [argument for argument in arguments if argument != "--debug"]
    with interruptible() as interrupted:
        try:
            status = app(args=given, prog_name="xtalpriors", standalone_mode=False)
            if status == INTERRUPTED:  # the parser catches Ctrl-C itself
                raise KeyboardInterrupt
            return int(status or 0)
        except (KeyboardInterrupt, typer.Abort):
            return _interrupted(given)
        except InterruptedRunError as error:
            return _interrupted(given, str(error))
        except Exception as error:  # noqa: BLE001 - the last resort: bugs are said in a sentence too
            if interrupted.is_set():  # a library has made an error of it
                return _interrupted(given)
            if "--debug" in arguments:
                traceback.print_exc()
            return _failed(error, given)


def _failed(error: Exception, given: list[str]) -> int:
    """Say what went wrong with a command line; the exit status."""
    if isinstance(error, BrokenPipeError):  # nobody reads any more what is printed
        to_nowhere()
        return 1
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        _fail(
            f"{error.filename or 'a file'} cannot be written ({error.strerror}). Free some space, "
            "and give the same command again; --debug says where it was."
        )
        return 1
    if isinstance(error, XtalpriorsError | OSError | MemoryError):
        _fail(str(error) or type(error).__name__)
        return 2 if isinstance(error, UsageError) else 1
    wrong_use = getattr(error, "format_message", None)  # the parser's own errors
    if wrong_use is None:
        _fail(f"a bug: {type(error).__name__}: {error}. Please report it with what --debug prints.")
        return 1
    if message := wrong_use():  # else there is no command, and the help has been printed
        from xtalpriors.frozen_model import plain

        name, colon, what = message.partition(": ")
        if colon and name.startswith("Invalid value"):
            message = f"{name.replace('Invalid value for', '').strip()} {plain(what)}".replace("'", "", 2)
        end = "" if message.endswith((".", "?")) else "."
        _fail(f"{message}{end} See `{_path_of(given)} --help`.")
    return 2


def _path_of(arguments: list[str]) -> str:
    """The command that arguments begin with, as far as there is one: `xtalpriors priors show`."""
    words = ["xtalpriors"]
    commands: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    for word in arguments:
        if word not in commands:
            break
        words.append(word)
        commands = getattr(commands[word], "commands", {})
    return " ".join(words)


KEPT = {
    "sync": "what has come is kept",
    "mine": "the files that were read are stored",
    "molecules": "the parts of a folder that are complete are kept",
    "generate": "the parts that are complete are kept",
    "train": "the last checkpoint is kept",
    "dual-space": "the last checkpoint is kept",
    "powder train": "the last checkpoint is kept",
    "seed-study": "the combinations that are finished are kept",
    "matrix": "the networks that are finished, and the last checkpoint of the one in training, are kept",
}
"""What an interrupted command goes on from; any other begins again. Earlier files are untouched."""


def _interrupted(arguments: list[str], message: str = "") -> int:
    """Say what is kept, and the command that goes on from there; the exit status."""
    command = _path_of(arguments).removeprefix("xtalpriors").strip()
    if command == "powder train" and "--output" not in arguments:
        command = ""  # the stage begins its runs again
    kept = KEPT.get(command, "nothing half written is left, and earlier files are as they were")
    if command == "train" and "--resume" not in arguments:
        arguments = [*arguments, "--resume"]
    what = "Go on with" if command in KEPT else "Begin again with"
    _fail(f"{message or f'Interrupted: {kept}.'} {what}:\n    xtalpriors {shlex.join(arguments)}")
    return INTERRUPTED
