"""A small part of `benchmarks/fuzz_reader.py`: mutated minerals end as entries or rejections."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("fuzz_reader", "mutations"):
        sys.modules.pop(name, None)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.usefixtures("benchmarks")
def test_a_hundred_mutations_are_accounted_for() -> None:
    import fuzz_reader
    import mutations

    files = fuzz_reader.real_files([])[::10]
    inputs = [(f"{n}.cif", mutations.mutated(files, 2, n)) for n in range(100)]
    counted = fuzz_reader.check(inputs)
    assert counted["entries"] + counted["rejections"] >= 100
    assert counted["entries"] > 20
    assert counted["rejections"] > 20


@pytest.mark.usefixtures("benchmarks")
def test_an_input_can_be_made_again_from_its_seed_and_number() -> None:
    import fuzz_reader
    import mutations

    files = fuzz_reader.real_files([])[::100]
    assert mutations.mutated(files, 5, 17) == mutations.mutated(files, 5, 17)
    assert len({mutations.mutated(files, 5, n) for n in range(50)}) == 50
    assert {m.__name__ for m in mutations.MUTATIONS} >= {
        "swapped_tags",
        "dropped_loop",
        "wrong_count",
        "truncated",
    }


@pytest.mark.parametrize(
    "lengths", [("1e-9", "7.9", "5.7"), ("0." + "0" * 300 + "1", "12.6", "5.5"), ("50", "50", "0.05")]
)
def test_cells_without_extent_are_rejected(lengths: tuple[str, str, str]) -> None:
    """They were found by mutation: the search for shared positions did not end, or divided by zero."""
    from reader_cif import P21C, atoms, cell, rejection, structure

    text = structure(cell(*lengths, 90, 95, 90), atoms("C1 C .1 .2 .3", "C2 C .4 .5 .6"), symmetry=P21C)
    assert rejection(text)["code"] == "cell-impossible"


def test_a_cell_without_depth_is_rejected() -> None:
    from reader_cif import atoms, cell, rejection, structure

    text = structure(cell(5, 5, 5, 90, 90, "0.000001"), atoms("C1 C .1 .2 .3"))
    assert rejection(text)["code"] == "cell-impossible"
