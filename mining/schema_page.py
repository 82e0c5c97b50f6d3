"""The column tables of `docs/database.md`, written from the schema so that they cannot differ from it.

`python -m xtalpriors.mining.schema_page docs/database.md` renews them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from xtalpriors.mining.database import TABLES, sql_type
from xtalpriors.mining.views import VIEWS

__all__ = ["BEGIN", "END", "renewed", "schema_tables"]

BEGIN = "<!-- begin: written by xtalpriors.mining.schema_page -->"
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


def renewed(page: str) -> str:
    """The page with the part between the two marks written anew."""
    head, rest = page.split(BEGIN, 1)
    return f"{head}{BEGIN}\n\n{schema_tables()}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
