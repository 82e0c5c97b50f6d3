"""The index of all reports says what the pages say of themselves, and replaces no page of somebody else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from xtalpriors.errors import UsageError
from xtalpriors.reports.index_page import write_index


@pytest.fixture
def folder(report: Path, tmp_path: Path) -> Path:
    """A folder with the report of 200 made-up structures, and things that are none."""
    (tmp_path / "corpus").mkdir()
    shutil.copyfile(report / "index.html", tmp_path / "corpus" / "index.html")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "index.html").write_text('<meta name="xtalpriors-corpus" content="[1]">')
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "index.html").write_bytes(b"<title>\xff</title>")
    return tmp_path


def test_a_corpus_is_listed_with_its_counts(folder: Path) -> None:
    page = write_index(folder, ["corpus", "foreign", "older", "absent"]).read_text(encoding="utf-8")
    assert page.count("/index.html") == 1, "the corpus, whose subsets have no pages"
    assert re.search(r'<a href="corpus/index.html">[^<]+</a></td><td class="number">200</td>', page)
    # Every tenth structure is the twin of the one before.
    assert '<td class="number">180</td>' in page


def test_the_order_and_the_bytes_do_not_depend_on_who_wrote_last(folder: Path) -> None:
    shutil.copytree(folder / "corpus", folder / "again & <more>")
    names = ["again & <more>", "corpus"]
    first = write_index(folder, names).read_bytes()
    assert write_index(folder, names).read_bytes() == first
    assert b"<more>" not in first and first.index(b"again") < first.index(b'"corpus/')


def test_without_a_report_the_index_says_so(tmp_path: Path) -> None:
    assert "None has a report yet" in write_index(tmp_path, ["corpus"]).read_text(encoding="utf-8")


def test_a_page_of_somebody_else_stays(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>my own page</p>")
    with pytest.raises(UsageError, match=r"index\.html is there already"):
        write_index(tmp_path, [])
    assert (tmp_path / "index.html").read_text() == "<p>my own page</p>"
