"""The classes of the commands: help with examples at its end, and words that say what to do."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from xtalpriors.cli.examples import EXAMPLES

__all__ = ["Command", "Group"]


class Command(TyperCommand):
    """A command whose help ends with examples, to be copied as they stand."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, then the examples without a frame, so that lines can be copied."""
        super().format_help(ctx, formatter)
        _print_examples(ctx.command_path)

    def get_params(self, ctx: Any) -> Any:
        """Arguments and options; those that take no value are listed without a type of it."""
        return _without_metavar(super().get_params(ctx))


class Group(TyperGroup):
    """A command with commands below it; otherwise as `Command`."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """As `Command.format_help`."""
        super().format_help(ctx, formatter)
        _print_examples(ctx.command_path)

    def get_params(self, ctx: Any) -> Any:
        """As `Command.get_params`."""
        return _without_metavar(super().get_params(ctx))


def _without_metavar(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters


def _print_examples(command: str) -> None:
    examples = EXAMPLES.get(command.removeprefix("xtalpriors").strip())
    if examples:
        print(f" Examples:\n{examples.rstrip()}\n")  # noqa: T201
