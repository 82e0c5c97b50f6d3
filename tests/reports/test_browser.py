"""The pages in a real browser: axe-core finds no fault, nothing is loaded, and the script does what it says.

Needs Chromium (`apt-get install chromium`) and the packages of the extra `test`; skipped without.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from report_inputs import made_batch, made_evaluation

from xtalpriors.generator.config import GeneratorConfig, space_group_of
from xtalpriors.generator.output.parquet import write_parquet
from xtalpriors.model.scoring.evaluation_table import write_evaluation
from xtalpriors.paths import published
from xtalpriors.reports.build import build_report
from xtalpriors.reports.index_page import write_index

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, TELEPHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

Fitted = tuple[Path, list[Path], list[Path]]
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def full(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of all reports, one of them with everything that a report can have."""
    folder = tmp_path_factory.mktemp("reports")
    database, bundles, subsets = fitted
    run = {"bundle": "p21c-10", "priors_digest": "0" * 32}
    sets = []
    for config in (GeneratorConfig(filling="molecules"), GeneratorConfig(filling="random")):
        sets.append(folder / f"lognormal-{config.filling}.parquet")
        about = run | {"config": config.model_dump(mode="json")}
        write_parquet(made_batch(space_group_of("P 1 21/c 1")), sets[-1], about)
    write_evaluation(made_evaluation(), folder / "scores.parquet")
    build_report(
        database,
        [*bundles, published()],
        folder / "made",
        subsets=subsets,
        generated=sets,
        evaluations=[folder / "scores.parquet"],
    )
    return write_index(folder, ["made", "absent"]).parent


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Open]:
    """Function that opens a file; whatever the page asks for besides, or says in error, fails the test."""
    contexts: list[Any] = []
    faults: list[str] = []

    def asked(request: Any, path: Path) -> None:
        if request.url != path.as_uri():
            faults.append(request.url)

    def go(path: Path, size: dict[str, int] = DESK, **options: Any) -> Any:
        contexts.append(browser.new_context(viewport=size, **options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked(request, path))
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield go
    for context in contexts:
        context.close()
    assert not faults


PAGES = ("index.html", "made/index.html", "made/phasing/index.html", "made/subsets/p21c-10/index.html")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (TELEPHONE, "dark")])
def test_axe_finds_no_violation(
    full: Path, visit: Open, name: str, size: dict[str, int], scheme: str
) -> None:
    page = visit(full / name, size, color_scheme=scheme)
    found = axe.Axe().run(page).response["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found] == []


def test_colours_are_legible_in_the_other_scheme(full: Path, visit: Open) -> None:
    page = visit(full / "made/index.html", TELEPHONE, color_scheme="light")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    options = {"runOnly": ["color-contrast"]}
    assert axe.Axe().run(page, options=options).response["violations"] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_no_wider_than_a_telephone_and_shows_the_narrow_figures(
    full: Path, visit: Open, name: str
) -> None:
    page = visit(full / name, TELEPHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    clipped = """[...document.querySelectorAll('.plot.narrow svg')].flatMap((svg) => {
        const box = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter((text) => {
            const at = text.getBoundingClientRect();
            return at.left < box.left - 1 || at.right > box.right + 1;
        }).map((text) => svg.getAttribute('aria-label').slice(0, 40) + ': ' + text.textContent);
    })"""
    assert page.evaluate(clipped) == []
    hidden = "[...document.querySelectorAll('.plot.wide')].filter((plot) => plot.offsetParent).length"
    assert page.evaluate(hidden) == 0


def test_without_a_script_nothing_is_missing(full: Path, visit: Open) -> None:
    texts = []
    for allowed in (True, False):
        page = visit(full / "made/index.html", java_script_enabled=allowed)
        texts.append(page.inner_text("main").split())
    with_script, without = (set(words) for words in texts)
    assert len(without) > 500 and without <= with_script | {"↔"}
    assert not page.query_selector("button") and not page.query_selector("input")


def test_a_table_is_sorted_and_filtered(full: Path, visit: Open) -> None:
    page = visit(full / "made/index.html")
    region = "#moved-table-1 .scroll"
    column = f"[...document.querySelectorAll('{region} tbody tr')].map((row) => row.cells[0].textContent)"
    before = page.evaluate(column)
    page.click(f"{region} th:first-child button")
    assert page.evaluate(column) == sorted(before, key=str.casefold)
    page.click(f"{region} th:first-child button")
    assert page.get_attribute(f"{region} th:first-child", "aria-sort") == "descending"
    page.fill("#moved-table-1 .filter", "special position")
    shown = f"[...document.querySelectorAll('{region} tbody tr')].filter((row) => !row.hidden).length"
    assert 0 < page.evaluate(shown) < len(before)


def test_values_stand_under_the_pointer(full: Path, visit: Open) -> None:
    """The value of a bar is that of its CSV, the value of a curve that of the axis under it."""
    page = visit(full / "made/index.html")
    page.hover("#redeterminations .wide g[data-value] path")
    text = page.inner_text("#redeterminations .values")
    assert "160" in text
    panel = page.evaluate("""(() => {
        const svg = document.querySelector('#volume .wide svg');
        svg.scrollIntoView({block: 'center', behavior: 'instant'});
        const [left, top, right, bottom] = svg.panels[0].box;
        const at = new DOMPoint((left + right) / 2, (top + bottom) / 2).matrixTransform(svg.getScreenCTM());
        return {x: at.x, y: at.y, limits: svg.panels[0].x};
    })()""")
    page.mouse.move(panel["x"], panel["y"])
    text = page.inner_text("#volume .values")
    middle = sum(panel["limits"]) / 2
    assert text.startswith("V / Å³: ") and float(text.split()[3]) == pytest.approx(middle, rel=0.02)
    assert "log-normal fit" in text


def test_the_switch_of_colours_and_the_place_in_the_contents(full: Path, visit: Open) -> None:
    page = visit(full / "made/index.html", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("button.theme")
    page.click("button.theme")
    assert page.inner_text("button.theme") == "Colours: dark" and page.evaluate(ground) != light
    page.evaluate("document.getElementById('contents').scrollIntoView({behavior: 'instant'})")
    page.wait_for_selector("#toc li.here > a[href='#contents']", state="attached")


def test_paper_has_every_column(full: Path, visit: Open) -> None:
    """In print no table is wider than the sheet (A4, 12 mm margins: 703 px), and the controls are gone."""
    page = visit(full / "made/index.html", {"width": 703, "height": 1000})
    page.emulate_media(media="print")
    wide = """[...document.querySelectorAll('.scroll')].filter((box) => box.scrollWidth > box.clientWidth + 1)
        .map((box) => box.getAttribute('aria-label'))"""
    assert page.evaluate(wide) == []
    assert page.evaluate("document.querySelector('#toc').offsetParent") is None
    assert page.pdf(format="A4").startswith(b"%PDF")
