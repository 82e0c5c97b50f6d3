"""Weight of the pages of a report, and how long a browser needs to show them.

    python benchmarks/report_page.py [reports/amcsd]

For each page: bytes, those of its script and of its drawings, and with Chromium and the packages of the extra
`test` the median time to the event `load` from a file, at 1280 and at 390 px, of five visits each.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
from pathlib import Path

VISITS = 5
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


def main() -> None:
    """Print a line for each page of the report in the folder that is named."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "reports/amcsd")
    pages = sorted(folder.rglob("index.html"))
    if not pages:
        sys.exit(f"{folder} holds no page; write a report first: xtalpriors report")
    times = _load_times(pages)
    print(f"{'page':40}{'kB':>8}{'script':>8}{'drawn':>8}{'1280 px':>10}{'390 px':>10}")
    for page in pages:
        text = page.read_text(encoding="utf-8")
        script = sum(map(len, re.findall(r"<script>.*?</script>", text, flags=re.DOTALL)))
        drawn = sum(map(len, re.findall(r"<svg .*?</svg>", text, flags=re.DOTALL)))
        shown = "".join(f"{1000 * t:7.0f} ms" for t in times.get(page, ()))
        sizes = "".join(f"{n / 1000:8.1f}" for n in (len(text.encode()), script, drawn))
        print(f"{page.relative_to(folder)!s:40}{sizes}{shown}")


def _load_times(pages: list[Path]) -> dict[Path, list[float]]:
    """Median seconds to `load` by page, at both widths; empty without a browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("no Chromium or no playwright: weights only", file=sys.stderr)
        return {}
    times: dict[Path, list[float]] = {page: [] for page in pages}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        for page in pages:
            for width in (1280, 390):
                tab = browser.new_page(viewport={"width": width, "height": 900})
                times[page].append(statistics.median(_visit(tab, page) for _ in range(VISITS)))
                tab.close()
        browser.close()
    return times


def _visit(tab, page: Path) -> float:  # type: ignore[no-untyped-def]
    tab.goto(page.resolve().as_uri(), wait_until="load")
    entry = "performance.getEntriesByType('navigation')[0]"
    return float(tab.evaluate(f"{entry}.loadEventStart - {entry}.startTime")) / 1000


if __name__ == "__main__":
    main()
