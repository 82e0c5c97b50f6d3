"""The tables in `docs/` that are written from the code, so that the two cannot differ.

`python tools/docs_tables.py` renews them: the columns of the database in `docs/database.md`, and the options
of the generator and of training in `docs/options.md`, and what was measured at equal time in
`docs/dual-space.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.mining.database.store import TABLES, sql_type
from xtalpriors.mining.database.views import VIEWS
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.reports.figures.space_groups import short_symbol
from xtalpriors.reports.phasing.equal_time import EqualTimeTable, Solved, signed

__all__ = ["PAGES", "option_tables", "renewed", "schema_tables"]

BEGIN = "<!-- begin: written by tools/docs_tables.py -->"
END = "<!-- end -->"


def schema_tables() -> str:
    """Markdown of every view and every table, column by column."""
    lines = ["## Views", "", "| view | what it shows |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, (meaning, _) in VIEWS.items()]
    lines += ["", "## Tables"]
    for name, (meaning, columns) in TABLES.items():
        lines += ["", f"### `{name}`", "", f"{meaning}.", "", "| column | type | meaning |", "|---|---|---|"]
        for column in columns:
            null = "" if column.nullable else ", never null"
            meaning_cell = column.meaning.replace("|", "\\|")
            lines.append(f"| `{column.name}` | {sql_type(column)}{null} | {meaning_cell} |")
    return "\n".join(lines) + "\n"


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


def equal_time_table() -> str:
    """Markdown of what charge flipping and the network solve in the same time."""
    sides = ("baseline", "flipping", "hybrid")
    columns = (
        "",
        "d_min",
        "N",
        "trials",
        "ms",
        "baseline",
        "short trials",
        "difference",
        "hybrid",
        "difference",
    )
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for row in EqualTimeTable.read().rows:
        both = (row.solved, row.nearly_exact)
        shares = {side: " / ".join(_share(getattr(s, side)) for s in both) for side in sides}
        gains = {side: " / ".join(_gain(s, side) for s in both) for side in sides[1:]}
        cells = (
            f"{row.crystals} {short_symbol(row.space_group)}",
            f"{row.d_min_angstrom:.1f} Å",
            str(row.n),
            ", ".join(f"{count:.0f}" for count in row.trials),
            ", ".join(f"{time:.0f}" for time in row.milliseconds),
            shares["baseline"],
            *(cell for side in sides[1:] for cell in (shares[side], gains[side])),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value else "0"


def _gain(solved: Solved, side: str) -> str:
    value, low, high = (signed(x) for x in getattr(solved, f"{side}_gain"))
    return f"{value} [{low}, {high}]"


PAGES: dict[str, Callable[[], str]] = {
    "docs/database.md": schema_tables,
    "docs/options.md": option_tables,
    "docs/dual-space.md": equal_time_table,
}
"""Which function writes the tables of which page."""


def renewed(page: str, text: str) -> str:
    """The text of a page with the part between its two marks written anew."""
    head, rest = text.split(BEGIN, 1)
    return f"{head}{BEGIN}\n\n{PAGES[page]()}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[1]
    for name in PAGES:
        path = root / name
        path.write_text(renewed(name, path.read_text(encoding="utf-8")), encoding="utf-8")
