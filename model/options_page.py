"""The tables of `docs/options.md`, written from the configurations so that they cannot differ from them.

`python -m xtalpriors.model.options_page docs/options.md` renews them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.model.config import TrainConfig

__all__ = ["BEGIN", "END", "option_tables", "renewed"]

BEGIN = "<!-- begin: written by xtalpriors.model.options_page -->"
END = "<!-- end -->"


def option_tables() -> str:
    """Markdown of every option of the generator and of training: name, default, meaning."""
    lines: list[str] = []
    for title, model in (("Generator", GeneratorConfig), ("Training", TrainConfig)):
        lines += [f"## {title}", "", "| option | default | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | {_default(field)} | {_meaning(field)} |" for name, field in _options(model)]
        lines.append("")
    return "\n".join(lines)


def _options(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Options by dotted name; a strategy of the generator inside is one row, its options have a table."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and inner is not GeneratorConfig:
            yield from _options(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "the defaults above"
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        return f"`[{', '.join(f'{v:g}' for v in value)}]`"
    return f"`{value}`" if value != {} else "none"


def _meaning(field: FieldInfo) -> str:
    """The description, and the choices where there are some that it does not name."""
    text = (field.description or "").replace("|", "\\|")
    choices = [f"`{choice}`" for choice in _choices(field.annotation)]
    return text if all(choice.strip("`") in text for choice in choices) else f"{text} ({', '.join(choices)})"


def _choices(annotation: Any) -> list[str]:
    """Values of the literals in a type."""
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def renewed(page: str) -> str:
    """The page with the part between the two marks written anew."""
    head, rest = page.split(BEGIN, 1)
    return f"{head}{BEGIN}\n\n{option_tables()}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
