"""`docs/options.md` has every option of the generator and of training, with its default."""

from __future__ import annotations

from pathlib import Path

from docs_tables import renewed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "options.md"


def test_the_page_is_that_of_the_configurations() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == renewed("docs/options.md", text), "run `python tools/docs_tables.py`"
    for row in (
        "| `min_distance_angstrom` | `1.2` |",
        "| `optimiser.learning_rate` | `0.0005` |",
        "| `keep` | null |",
        "`uniform`, `exponential`, `empirical`",
    ):
        assert row in text
