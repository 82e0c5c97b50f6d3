"""Configurations from YAML files: those of a folder by name, or a user's own, with options over them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from xtalpriors.errors import UsageError
from xtalpriors.frozen_model import explain

__all__ = ["checked_options", "lay_over", "load_preset_file", "preset_content", "read_table"]

Model = TypeVar("Model", bound=BaseModel)


def load_preset_file(
    name: str | Path, folder: Path, model: type[Model], what: str, overrides: dict[str, Any] | None = None
) -> Model:
    """A configuration from `folder/NAME.yaml`, or from any YAML file.

    Parameters
    ----------
    name
        `smoke`, for instance, or a path that ends in `.yaml`.
    folder
        Where the presets are that ship with the package.
    model
        The configuration.
    what
        Whose presets these are, for messages: `dual-space networks`.
    overrides
        Options by dotted name, over those of the file: `{"size.width": 32}`.

    Raises
    ------
    UsageError
        No such preset or file, no YAML, or an unknown key (with the nearest one).
    """
    file, content = preset_content(name, folder, what)
    return checked_options(file, content, model, overrides)


def checked_options(
    file: Path, content: dict[str, Any], model: type[Model], overrides: Mapping[str, Any] | None = None
) -> Model:
    """The configuration that the content of a file describes, options by dotted name laid over it.

    Raises
    ------
    UsageError
        An unknown key, or a value that it cannot have.
    """
    lay_over(content, overrides or {})
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{file}: {explain(error, model)}") from error


def preset_content(name: str | Path, folder: Path, what: str) -> tuple[Path, dict[str, Any]]:
    """File and content of a preset, before it is checked; see `load_preset_file`."""
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    file = Path(name) if str(name).endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    if not file.is_file():
        raise UsageError(
            f"There is no preset '{name}' of {what}; there are: {', '.join(known)}; or give a .yaml file."
        )
    return file, read_table(file)


def read_table(file: Path) -> dict[str, Any]:
    """The options of a YAML file.

    Raises
    ------
    UsageError
        It cannot be read, or holds something else.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file} cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{file} is YAML, but no table of options.")
    return content


def lay_over(content: dict[str, Any], overrides: Mapping[str, Any]) -> None:
    """Set options by dotted name in a table of tables: `{"size.width": 32}`.

    Raises
    ------
    UsageError
        A name has parts where the table holds a value.
    """
    for key, value in overrides.items():
        *parents, last = key.split(".")
        inner = content
        for parent in parents:
            inner = inner.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise UsageError(f"`{key}`: `{parent}` has no parts.")
        inner[last] = value
