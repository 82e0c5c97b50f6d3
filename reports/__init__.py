"""The figure report of a corpus: pages of HTML, and each figure as SVG with its data as CSV.

`build_report(database, bundles, output)` writes it. `build` puts the pages together, `corpus_page` and
`phasing/` fill one page each, `sections/` have a file a section, `figures/` a file a figure, `templates/` the
words. `inputs`, `corpus`, `subset_data` and `generated_data` read; `measures`, `statistics` and `paper_cells`
compute; `panels` and `style` draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.reports.build import build_report as build_report
    from xtalpriors.reports.index_page import write_index as write_index
    from xtalpriors.reports.summary.collect import GROUPINGS as GROUPINGS
    from xtalpriors.reports.summary.collect import Summary as Summary
    from xtalpriors.reports.summary.collect import summarise as summarise
    from xtalpriors.reports.summary.page import SUMMARY_PAGE as SUMMARY_PAGE
    from xtalpriors.reports.summary.page import write_summary_page as write_summary_page
    from xtalpriors.reports.summary.text import summary_table as summary_table

__getattr__, __all__ = offer(
    __name__,
    {
        "build": ["build_report"],
        "index_page": ["write_index"],
        "summary.collect": ["GROUPINGS", "Summary", "summarise"],
        "summary.page": ["SUMMARY_PAGE", "write_summary_page"],
        "summary.text": ["summary_table"],
    },
)
