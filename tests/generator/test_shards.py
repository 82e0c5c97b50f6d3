"""Outputs of earlier runs: damaged, of another run, overlapping; and what a run says that it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import generate
from xtalpriors.generator.output.parquet import read_parquet
from xtalpriors.generator.output.run_report import GenerateReport
from xtalpriors.generator.output.shards import generate_to
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.priors.bundle import published_bundle
from xtalpriors.progress import Advance

BUNDLE = published_bundle()
EQUAL = configure(filling="equal-atoms")


def test_a_truncated_shard_is_written_again(tmp_path: Path) -> None:
    options = {"seed": 1, "count": 90, "shard_size": 30}
    generate_to(tmp_path / "run", BUNDLE, EQUAL, **options)
    damaged = tmp_path / "run" / "structures-000000000030-000000000059.parquet"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    assert generate_to(tmp_path / "run", BUNDLE, EQUAL, **options).n_resumed == 60
    assert damaged.read_bytes() == whole


def test_a_shard_has_its_name_only_once_it_is_whole(tmp_path: Path) -> None:
    """A run that stops in its second shard leaves the first, and nothing else that looks like a shard."""
    seen: list[list[str]] = []

    @contextmanager
    def stop_at_the_second(what: str, total: int | None, unit: str) -> Iterator[Advance]:
        def advance(n: int = 1, /, *, note: str = "") -> None:
            seen.append(sorted(path.name for path in (tmp_path / "run").glob("structures-*")))
            if len(seen) == 2:
                raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt):
        generate_to(
            tmp_path / "run", BUNDLE, EQUAL, count=60, shard_size=30, workers=1, progress=stop_at_the_second
        )
    first = ["structures-000000000000-000000000029.parquet"]
    assert seen == [[], first]
    assert sorted(path.name for path in (tmp_path / "run").glob("structures-*")) == first


def test_a_damaged_shard_of_a_file_is_deleted_and_written_by_the_next_run(tmp_path: Path) -> None:
    options = {"seed": 1, "count": 60, "shard_size": 30}
    output, parts = tmp_path / "a.parquet", tmp_path / "a.parquet.parts"
    generate_to(parts, BUNDLE, EQUAL, **options)  # what a stopped run leaves
    shard = parts / "structures-000000000030-000000000059.parquet"
    content = bytearray(shard.read_bytes())
    content[100:400] = bytes(300)  # the footer still tells the right number of rows
    shard.write_bytes(content)
    with pytest.raises(XtalpriorsError, match=r"000000000059\.parquet was damaged .* Run the same command"):
        generate_to(output, BUNDLE, EQUAL, **options)
    assert generate_to(output, BUNDLE, EQUAL, **options).n_resumed == 30
    assert read_parquet(output).equals(generate(BUNDLE, EQUAL, 1, 0, 60))


def test_a_file_of_another_run_is_not_replaced_unless_told_to(tmp_path: Path) -> None:
    output = tmp_path / "a.parquet"
    generate_to(output, BUNDLE, EQUAL, seed=1, count=20)
    before = output.read_bytes()
    for message, options in (
        ("another run", {"seed": 2, "count": 20}),
        (r"structures 0 … 19 of this run", {"seed": 1, "count": 30}),
    ):
        with pytest.raises(UsageError, match=message):
            generate_to(output, BUNDLE, EQUAL, **options)
    assert output.read_bytes() == before
    assert generate_to(output, BUNDLE, EQUAL, seed=1, count=20).n_resumed == 20
    generate_to(output, BUNDLE, EQUAL, seed=2, count=20, overwrite=True)
    assert read_parquet(output).equals(generate(BUNDLE, EQUAL, 2, 0, 20))
    (tmp_path / "notes.parquet").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="not a file of generated structures"):
            generate_to(tmp_path / "notes.parquet", BUNDLE, EQUAL, count=1, overwrite=overwrite)
    assert (tmp_path / "notes.parquet").read_text() == "precious"


def test_a_run_that_failed_at_once_stands_in_nobodys_way(tmp_path: Path) -> None:
    crowded = configure(filling="random", min_distance_angstrom=5, redraws=0)
    with pytest.raises(XtalpriorsError, match="no room"):
        generate_to(tmp_path / "a.parquet", BUNDLE, crowded, count=50)
    assert generate_to(tmp_path / "a.parquet", BUNDLE, EQUAL, count=5).n_structures == 5


def test_shards_that_would_hold_a_structure_twice_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    generate_to(folder, BUNDLE, EQUAL, seed=1, count=50, shard_size=20)  # 0–19, 20–39, 40–49
    for start, count in ((0, 100), (10, 30), (45, 10)):
        with pytest.raises(UsageError, match=r"overlap .*start = \d+"):
            generate_to(folder, BUNDLE, EQUAL, seed=1, start=start, count=count, shard_size=20)
    generate_to(folder, BUNDLE, EQUAL, seed=1, start=50, count=30, shard_size=20)
    parts = [read_parquet(p) for p in sorted(folder.glob("*.parquet"))]
    assert StructureBatch.concatenate(parts).equals(generate(BUNDLE, EQUAL, 1, 0, 80))


def test_two_spellings_of_a_group_are_one_run(tmp_path: Path) -> None:
    for symbol, resumed in (("P 1 21/c 1", 0), ("P21/c", 10), ("14", 10)):
        config = configure(space_group=symbol, filling="equal-atoms")
        assert generate_to(tmp_path / "run", BUNDLE, config, count=10).n_resumed == resumed


@pytest.mark.parametrize("content", ['{"seed": 0}', '{"seed": 0', "[]"])
def test_a_run_json_of_another_program_is_refused_and_left(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(UsageError, match=r"run\.json is no record of a run of xtalpriors"):
        generate_to(tmp_path, BUNDLE, EQUAL, count=10)
    assert (tmp_path / "run.json").read_text() == content


@pytest.mark.parametrize("name", ["algorithm", "priors_digest", "config_digest", "seed"])
def test_a_folder_of_another_run_is_refused(tmp_path: Path, name: str) -> None:
    """Each of the four makes other structures; the bundle's name and the spelling of a group do not."""
    options = {"seed": 1, "count": 4}
    generate_to(tmp_path / "run", BUNDLE, EQUAL, **options)
    path = tmp_path / "run" / "run.json"
    identity = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(identity | {"bundle": "another name"}))
    assert generate_to(tmp_path / "run", BUNDLE, EQUAL, **options).n_resumed == 4
    path.write_text(json.dumps(identity | {name: 0}))
    with pytest.raises(UsageError, match="another run"):
        generate_to(tmp_path / "run", BUNDLE, EQUAL, **options)


def test_another_machine_that_is_just_beginning_is_no_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".run.json.77.part").write_text("")
    assert generate_to(tmp_path / "run", BUNDLE, EQUAL, count=5).n_structures == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [({"count": 10**17}, "Write at most"), ({"count": 1, "start": 2**63}, "9223372036854775807")],
    ids=str,
)
def test_ranges_that_no_disk_or_index_holds(tmp_path: Path, options: dict[str, int], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        generate_to(tmp_path / "huge", BUNDLE, EQUAL, **options)
    assert not (tmp_path / "huge").exists()


@pytest.mark.parametrize(
    ("filling", "module"), [("equal-atoms", "kernels.range"), ("packed", "kernels.packed")]
)
def test_the_first_run_of_a_filling_says_that_it_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filling: str, module: str
) -> None:
    """`packed` has kernels of its own: that those of the others are compiled says nothing of them."""
    compiled = {f"xtalpriors.generator.{m}" for m in ("kernels.range", "kernels.packed")}
    compiled.remove(f"xtalpriors.generator.{module}")
    shards = "xtalpriors.generator.output.shards"
    monkeypatch.setattr(f"{shards}.is_compiled", lambda name: name in compiled)
    monkeypatch.setattr(f"{shards}.mark_compiled", compiled.add)
    said: list[str] = []

    @contextmanager
    def progress(what: str, total: int | None, unit: str) -> Iterator[Advance]:
        said.append(what)
        yield lambda n=1, note="": None

    config = configure(cell="volume-uniform", filling=filling)
    for name in ("a.parquet", "b.parquet"):
        generate_to(tmp_path / name, BUNDLE, config, count=1, progress=progress)
    assert [text.split(",")[0] for text in said] == ["compile the kernels", "generate", "generate"]


def test_the_report_says_what_was_dropped() -> None:
    names = ("n_target", "n_hydrogen_target", "dropped", "dropped_hydrogen", "dropped_special")
    totals = dict.fromkeys((*names, "element_changes", "special_contacts", "redraws"), 0)
    totals |= {"n_target": 2000, "dropped": 52, "n_hydrogen_target": 1000, "dropped_special": 1, "redraws": 3}
    text = str(GenerateReport(Path("a.parquet"), 1000, 600, totals))
    assert "a.parquet: 1,000 structures, of which 600 were there already" in text
    assert "52 of 2,000 non-hydrogen atoms (2.6 %)" in text
    assert "0 of 1,000 hydrogens (0 %), 1 special position" in text
    assert "rarely" in text
    assert "3 of 400 structures (0.75 %)" in text
    nothing_new = str(GenerateReport(Path("a.parquet"), 5, 5, dict.fromkeys(totals, 0)))
    assert nothing_new == "a.parquet: 5 structures, of which 5 were there already"
