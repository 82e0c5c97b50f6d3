"""Releases of bundles, bundles of git revisions, and verdicts on what moved between them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tables import entry, make_database

from xtalpriors.cli import run
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining import DEFAULT_SUBSETS, write_subset
from xtalpriors.priors import (
    bundle_of_revision,
    compare,
    find_bundle,
    fit_subset,
    last_release,
    load_bundle,
    published_bundle,
    release_bundles,
    save_bundle,
    verdicts,
)
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.fitting.fit import fit_table
from xtalpriors.priors.fitting.subset_table import SubsetTable


def volumes(table_of: Callable[..., SubsetTable], seed: int, shift: float = 0.0) -> PriorBundle:
    """Log-normal volumes of 400 structures, and packing that never moves."""
    rng, same = np.random.default_rng(seed), np.random.default_rng(9)
    return fit_table(
        table_of(
            400,
            name="made",
            sg_number=14,
            volume_angstrom3=rng.lognormal(6 + shift, 0.4, 400),
            volume_per_non_h_atom_angstrom3=same.normal(15, 2, 400),
        ),
        bootstrap=100,
    )


@pytest.fixture(scope="module")
def before(table_of: Callable[..., SubsetTable]) -> PriorBundle:
    return volumes(table_of, 0)


def test_a_verdict_tells_noise_from_moves_and_small_moves_from_large(
    table_of: Callable[..., SubsetTable], before: PriorBundle
) -> None:
    def verdict(after: PriorBundle, shared: float = 0.0) -> dict[str, str]:
        return {v.prior: v.verdict for v in verdicts(compare(before, after, shared=shared))}

    assert set(verdict(before).values()) == {"within sampling error"}
    again = verdict(volumes(table_of, 1))
    assert again["cell_volume"] == "within sampling error"
    # ln V moved by 0.4 = σ: the largest gap of the two distribution functions is 2Φ(1/2) − 1 = 0.38
    moved = volumes(table_of, 1, shift=0.4)
    assert verdict(moved)["cell_volume"] == "large" and verdict(moved)["packing"] == "within sampling error"
    found = {v.prior: v for v in verdicts(compare(before, moved))}["cell_volume"]
    assert found.move is not None and found.move.ks_d == pytest.approx(0.38, abs=0.08)
    # the same sample, a fifth of σ further: 8 % are drawn otherwise, which is more than a tenth of the noise
    slightly = volumes(table_of, 0, shift=0.08)
    assert verdict(slightly, shared=0.99)["cell_volume"] == "real"
    assert dict(verdict(published_bundle()))["packing"] in {"real", "large"}


def test_what_two_releases_share_makes_no_noise(
    table_of: Callable[..., SubsetTable], before: PriorBundle
) -> None:
    """√(1 − shared) is the law of the difference of two means, here found by drawing."""
    n, m, k = 40, 50, 35
    draws = np.random.default_rng(3).standard_normal((20_000, n + m - k))
    difference = draws[:, n - k :].mean(axis=1) - draws[:, :n].mean(axis=1)
    factor = difference.std() / np.sqrt(1 / n + 1 / m)
    assert factor == pytest.approx(np.sqrt(1 - 2 * k / (n + m)), rel=0.02)
    after = volumes(table_of, 1)
    alone, shared = (
        {m.name: m for m in compare(before, after, shared=s).moves} for s in (0.0, 2 * k / (n + m))
    )
    for name in ("cell_volume", "cell_volume.parametric.mu"):
        wide, narrow = alone[name].noise, shared[name].noise
        assert wide and narrow == pytest.approx(wide * factor, rel=0.02)
        assert shared[name].change == alone[name].change


def test_a_release_is_a_copy_with_a_line_and_is_never_changed(
    table_of: Callable[..., SubsetTable], before: PriorBundle, tmp_path: Path
) -> None:
    bundle, folder = tmp_path / "made.json", tmp_path / "released"
    assert last_release(folder) is None
    save_bundle(before, bundle)
    for version in ("2026.9", "2026.11"):
        release = release_bundles([bundle], folder, version, note="a note\nof two lines")
        assert (release.folder / "made.json").read_bytes() == bundle.read_bytes() and release.entries is None
    found = last_release(folder)
    assert found is not None and found.version == "2026.11", "as numbers, not as text"
    assert found.bundles()["made"] == before
    for version, words in {"2026.10": "not higher", "2026.11": "not higher", "../x": "no version"}.items():
        with pytest.raises(UsageError, match=words):
            release_bundles([bundle], folder, version)
    save_bundle(volumes(table_of, 1, shift=0.4), bundle)
    release_bundles([bundle], folder, "2027.1")
    lines = (folder / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()[4:]
    assert [line.split()[1] for line in lines] == ["2027.1", "2026.11", "2026.9"]
    assert "since 2026.11: made cell_volume (large)" in lines[0]
    assert "no prior moved by more than sampling error. a note of two lines" in lines[1]
    for given, words in (([], "No bundle"), ([bundle, bundle], "Two bundles are of the subset made")):
        with pytest.raises(UsageError, match=words):
            release_bundles(given, folder, "2028")
    assert not (folder / "2028").exists()


def test_the_command_keeps_a_list_of_the_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        entry(f"x:{i}#a", (4 + i / 40, 6, 7, 90, 95, 90), content_hash=f"{i:032x}", formula=f"C{i + 4}")
        for i in range(25)
    ]
    make_database(tmp_path / "d.duckdb", rows)
    write_subset(tmp_path / "d.duckdb", DEFAULT_SUBSETS["all-50"], tmp_path / "all-50.parquet")
    fit_subset(tmp_path / "all-50.parquet", tmp_path / "all-50.json", bootstrap=100)
    command = "priors release 1.0 --bundle all-50.json --database d.duckdb --output released"
    assert run(command.split()) == 0, capsys.readouterr().err
    found = last_release(tmp_path / "released")
    assert found is not None and found.entries is not None
    make_database(tmp_path / "less.duckdb", rows[:20])
    assert run(command.replace("1.0", "1.1").replace("d.duckdb", "less.duckdb").split()) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "all-50.json was fitted to 25 structures; less.duckdb selects 20." in told
    assert last_release(tmp_path / "released") == found
    _compared_by_what_they_share(rows, capsys)
    assert run(command.split()) == 2 and "not higher" in capsys.readouterr().err
    assert run(["priors", "release", "2.0", "--bundle", "all-50.json"]) == 2
    assert "--output must be given too" in capsys.readouterr().err


def _compared_by_what_they_share(rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    """`priors compare` of the release of 25 structures with a corpus that has 5 more: 2 · 25 of 25 + 30."""
    more = [
        entry(f"x:{i}#b", (9 + i / 40, 6, 7, 90, 95, 90), content_hash=f"{i + 99:032x}", formula=f"N{i + 4}")
        for i in range(5)
    ]
    database, bundle = Path("data/x/crystals.duckdb"), Path("priors/fitted/x/all-50.json")
    for path in (database, bundle):
        path.parent.mkdir(parents=True)
    make_database(database, rows + more)
    write_subset(database, DEFAULT_SUBSETS["all-50"], Path("more.parquet"))
    fit_subset(Path("more.parquet"), bundle, bootstrap=100)
    command = ["priors", "compare", "released/1.0/all-50.json", str(bundle)]
    assert run(command) == 0
    assert "The two share 90.9 % of their structures" in capsys.readouterr().out
    database.unlink()
    assert run(command) == 0
    told = capsys.readouterr().out
    assert f"independent samples (no list of the entries belongs to {bundle}): where they overlap" in told
    report = "report --database d.duckdb --bundle all-50.json --output report --since"
    for folder, words in {"nowhere": "no such folder", "data": "no release in it"}.items():
        assert run([*report.split(), folder]) == 2
        assert f"--since {folder}: there is {words}" in " ".join(capsys.readouterr().err.split())


def test_bundles_of_git_revisions(
    table_of: Callable[..., SubsetTable],
    before: PriorBundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)

    file = Path("priors") / "made.json"
    git("init")
    save_bundle(before, file)
    git("add", ".")
    git("commit", "-m", "one")
    git("tag", "v1")
    moved = volumes(table_of, 1, shift=0.4)
    save_bundle(moved, file)
    git("commit", "-am", "two")
    file.unlink()
    assert find_bundle("v1:priors/made.json") == bundle_of_revision("HEAD~1", file) == before
    assert find_bundle("HEAD:priors/made.json") == moved and find_bundle("melgalvis-2026").name
    monkeypatch.chdir(tmp_path / "priors")
    assert find_bundle("v1:made.json") == before, "as seen from the folder"
    monkeypatch.chdir(tmp_path)
    assert run(["priors", "compare", "v1", "HEAD", str(file)]) == 0
    told = capsys.readouterr().out
    assert "larger cells" in told
    assert "no list of the entries belongs to v1:priors/made.json" in told
    assert told.startswith("before: v1:priors/made.json (priors digest ")
    assert told.splitlines()[1].startswith("after:  HEAD:priors/made.json (priors digest ")
    assert run(["priors", "compare", "v1", "HEAD~1", str(file)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("The priors of v1:priors/made.json and of HEAD~1:priors/made.json are the same")
    for given, words in {
        "v2:priors/made.json": "no revision 'v2'",
        "v1:priors/none.json": r"no file priors/none\.json",
        "--output=x:priors/made.json": "no revision '--output=x'",
        "v1:/nowhere/made.json": "no git repository",
        "HEAD~1": r"by REVISION:FILE \(HEAD~1:FILE",
    }.items():
        with pytest.raises(UsageError, match=words):
            find_bundle(given)
    Path("notes.json").write_text("{}")
    git("add", ".")
    git("commit", "-m", "three")
    with pytest.raises(XtalpriorsError, match=r"HEAD:notes\.json"):
        find_bundle("HEAD:notes.json")
    with pytest.raises(XtalpriorsError, match="there is no bundle"):
        load_bundle("none.json")


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("three years of notes")
    for folder in (tmp_path / "notes.txt", tmp_path / "notes.txt" / "releases"):
        with pytest.raises(UsageError, match=r"notes\.txt is a file"):
            release_bundles([], folder, "1.0")
    assert (tmp_path / "notes.txt").read_text() == "three years of notes"
