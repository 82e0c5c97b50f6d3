"""The page on densities from powder patterns, of scores that are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.powder.scoring.files import FILES, METRICS, SCORES, SECTIONS, write_rows
from xtalpriors.reports.powder.powder_page import powder_page
from xtalpriors.reports.section import LinkedPage

METHODS = ("mean map", "crystalnet-2024")
POINTS = 8


def summary(ssim: float, psnr: float) -> dict[str, Any]:
    return {
        "n": 2,
        "ssim": ssim,
        "ssim_sd": 0.1,
        "psnr": psnr,
        "psnr_sd": 2.0,
        "ssim_by_type": ssim,
        "good": 0.5,
    }


def scores_in(tmp_path: Path) -> Path:
    """Made-up scores in a folder."""
    rows, sections = [], []
    for k, method in enumerate(METHODS):
        for i in range(2):
            rows.append(
                {
                    "set": "S",
                    "index": i,
                    "formula": ("NaCl", "<b>O")[i],
                    "space_group": 225,
                    "prototype": ("225 a b", "227 8a")[i],
                    "name": "x",
                    "in_library": i == 0,
                    "method": method,
                    "is_network": bool(k),
                    "ssim": 0.31 + 0.5 * k - 0.2 * i,
                    "psnr": 20.0,
                    "best_ssim": 0.9,
                    "best_psnr": 30.0,
                    "tries": 5,
                    "failure": "No cell." if i and k else None,
                    "seconds": 0.25,
                }
            )
    field = np.random.default_rng(0).random(POINTS**2).tolist()
    for what, rank in (("truth", 0), ("crystalnet-2024", 1), ("crystalnet-2024", 2)):
        head = {"set": "S", "index": 0, "height": 0, "points": POINTS}
        sections.append(
            head | {"what": what, "rank": rank, "ssim": 0.81, "source": f"draw {rank}", "values": field}
        )
    write_rows(tmp_path, SCORES, rows)
    write_rows(tmp_path, SECTIONS, sections)
    methods = {
        m: {"first": summary(0.21 + 0.5 * k, 21.5), "best": summary(0.91, 33.25), "failures": k}
        for k, m in enumerate(METHODS)
    }
    content = {
        "n": 2,
        "n_in_library": 1,
        "methods": methods,
        "bar": "mean map",
        "against_bar": {"crystalnet-2024": {"mean": 0.5, "low": -0.125, "high": 0.7}},
        "parts": {
            "in library": {"mean map": 0.31, "crystalnet-2024": 0.81},
            "not in library": {"mean map": 0.11, "crystalnet-2024": 0.61},
        },
    }
    text = canonical_json({"points": POINTS, "sets": {"S": content}}, indent=1)
    write_text(tmp_path / METRICS, text, FILES[METRICS])
    return tmp_path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> LinkedPage:
    return powder_page(scores_in(tmp_path_factory.mktemp("scores")), "amcsd", "0" * 32)


def test_the_page_says_the_numbers(page: LinkedPage) -> None:
    text = " ".join(page.html.split())
    for words in (
        "0.710 ± 0.100",  # the network's first try
        "+0.500 (−0.125 to +0.700)",
        "0.934 ± 0.149",  # Table 1
        "0.887, 32.5 dB",  # Table 2
        "0.910 ± 0.100",  # the same network's best of five beside them
        "1 of 2 crystals had no answer; the commonest reason: No cell.",
        "&lt;b&gt;O",
        "where Guo et al. have 50",
        "scores 2 crystals of a set",
    ):
        assert words in text, words
    assert "<b>O" not in text
    assert [figure.name for figure in page.figures] == ["powder-ssim", "powder-maps"]
    assert all(figure.svg and figure.svg_narrow for figure in page.figures)
    assert page.teaser.endswith("by crystalnet-2024 on set S, beside answers that need no training.")


def test_the_curve_is_the_share_of_crystals_below(page: LinkedPage) -> None:
    frame = page.figures[0].frame
    own = frame[frame["method"] == "crystalnet-2024"].sort_values("ssim")
    assert own["ssim"].round(6).tolist() == [0.61, 0.81] and own["share"].tolist() == [0.5, 1.0]


def test_the_same_scores_give_the_same_page(page: LinkedPage, tmp_path: Path) -> None:
    assert powder_page(scores_in(tmp_path), "amcsd", "0" * 32).html == page.html


def test_a_folder_without_scores(tmp_path: Path) -> None:
    folder = scores_in(tmp_path)
    (folder / METRICS).unlink()
    with pytest.raises(XtalpriorsError, match=r"metrics\.json cannot be read .* powder evaluate"):
        powder_page(folder, "amcsd", None)
    (folder / SCORES).write_bytes((folder / SECTIONS).read_bytes())
    with pytest.raises(XtalpriorsError, match="not a table of an evaluation on powder patterns"):
        powder_page(folder, "amcsd", None)
