"""`xtalpriors sync` against servers that are real: rsync's daemon and Subversion's, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xtalpriors.cli import run
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining import MirrorLimits, incomplete_mirrors, mirrors_of, sync_mirror
from xtalpriors.mining.mirror.lock import alone
from xtalpriors.mining.mirror.record import MARK
from xtalpriors.mining.mirror.transfer import go_on
from xtalpriors.mining.sources.tree import TreeSource

ENTRIES = {"2/00/00/2000000.cif": 10, "2/01/64/2016452.cif": 11, "9/00/00/9000000.cif": 12}

needs_rsync = pytest.mark.skipif(shutil.which("rsync") is None, reason="the program rsync is not installed")
needs_svn = pytest.mark.skipif(shutil.which("svnserve") is None, reason="Subversion is not installed")


def put(root: Path, name: str, revision: int, size: int = 0) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#$Revision: {revision} $\ndata_{path.stem}\n_cell_length_a 5\n" + "#" * size + "\n")


def cod(root: Path, entries: dict[str, int] = ENTRIES) -> Path:
    """A small COD, and things beside it that are none of it."""
    for name, revision in entries.items():
        put(root, name, revision)
    (root / "2/00/00/readme.txt").write_text("not an entry")
    (root / "9/00/00/9000001.cif").symlink_to("/etc/passwd")
    return root


def held(root: Path) -> dict[str, bytes]:
    """Every file of a mirror but its record and what svn keeps for itself."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != MARK and ".svn" not in path.parts
    }


def record(root: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((root / MARK).read_text())
    return found


@contextmanager
def server(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def rsyncd(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    root, port = cod(tmp_path / "server"), free_port()
    settings = tmp_path / "rsyncd.conf"
    settings.write_text(
        f"use chroot = no\nuid = {os.getuid()}\ngid = {os.getgid()}\nlog file = {tmp_path}/log\n"
        f"[cif]\npath = {root}\nread only = yes\n"
    )
    command = [
        "rsync",
        "--daemon",
        "--no-detach",
        f"--port={port}",
        "--address=127.0.0.1",
        f"--config={settings}",
    ]
    with server(command, port):
        yield f"rsync://127.0.0.1:{port}/cif/", root


@needs_rsync
def test_rsync_brings_what_is_new_changed_and_gone_and_nothing_else(
    rsyncd: tuple[str, Path], tmp_path: Path
) -> None:
    origin, there = rsyncd
    here = tmp_path / "mirror"
    dry = sync_mirror(here, origin, is_dry_run=True)
    size = sum((there / name).stat().st_size for name in ENTRIES)
    assert (dry.transfer.new, dry.transfer.size_bytes) == (3, size)
    assert not here.exists()
    report = sync_mirror(here, origin)
    assert (report.transfer.new, report.transfer.changed, report.revision) == (3, 0, 12)
    assert held(here) == {name: (there / name).read_bytes() for name in ENTRIES}

    (here / "mine").mkdir()
    (here / "mine/2000001.cif").write_text("a file of the user's")
    put(there, "9/00/00/9000000.cif", 20, size=5)
    put(there, "2/01/64/2016453.cif", 21)
    (there / "2/00/00/2000000.cif").unlink()
    part = sync_mirror(here, ranges=["2/01"])
    assert (part.transfer.new, part.transfer.changed, part.transfer.deleted) == (1, 0, 0)
    rest = sync_mirror(here)
    assert (rest.transfer.new, rest.transfer.changed, rest.transfer.deleted, rest.revision) == (0, 1, 1, 21)
    assert "mine/2000001.cif" in held(here)
    assert "2/00/00/2000000.cif" not in held(here)
    assert sync_mirror(here).transfer.size_bytes == 0
    assert "old copy" not in str(rest)
    put(there, "9/00/00/9000000.cif", 19, size=6)
    assert "1 file went back to an older revision than here before: is rsync:" in str(sync_mirror(here))
    assert mirrors_of(["amcsd", "csd", f"x=cod:{here}", f"cod:{there}"]) == [here]
    assert mirrors_of([str(here), f"y={here}", str(there)]) == [here, here]


@needs_rsync
def test_a_server_that_lost_its_files_is_no_reason_to_lose_them_here(
    rsyncd: tuple[str, Path], tmp_path: Path
) -> None:
    origin, there = rsyncd
    here = tmp_path / "mirror"
    sync_mirror(here, origin)
    before = held(here)
    shutil.rmtree(there / "2")
    put(there, "9/00/00/9000009.cif", 30)
    with pytest.raises(XtalpriorsError, match=r"[Nn]o longer at .*: 2 entries .* --max-deletions 2"):
        sync_mirror(here, limits=MirrorLimits(deletions=1))
    assert before.items() <= held(here).items()
    shutil.rmtree(there)
    there.mkdir()
    with pytest.raises(XtalpriorsError, match="Nothing was deleted"):
        sync_mirror(here)
    assert before.items() <= held(here).items()


@needs_rsync
def test_a_dry_run_says_that_a_run_would_not_delete_as_much(rsyncd: tuple[str, Path], tmp_path: Path) -> None:
    origin, there = rsyncd
    here = tmp_path / "mirror"
    sync_mirror(here, origin)
    shutil.rmtree(there / "2")
    assert "--max-deletions" not in str(sync_mirror(here, is_dry_run=True))
    for limit, said in [(1, True), (2, False)]:
        dry = sync_mirror(here, limits=MirrorLimits(deletions=limit), is_dry_run=True)
        assert ("No more than 1 are" in str(dry) and "run with --max-deletions 2." in str(dry)) is said


@needs_rsync
def test_a_range_that_the_origin_does_not_have(rsyncd: tuple[str, Path], tmp_path: Path) -> None:
    origin, here = rsyncd[0], tmp_path / "mirror"
    put(here, "2/99/00/2990000.cif", 3)
    report = sync_mirror(here, origin, ranges=["2/99", "9"], adopt=True)
    assert (report.transfer.new, report.transfer.deleted, report.unfinished) == (1, 0, ())
    assert "The origin has no part 2/99." in str(report)
    assert held(here).keys() == {"2/99/00/2990000.cif", "9/00/00/9000000.cif"}
    before = record(here)
    for is_dry_run in (True, False):
        with pytest.raises(XtalpriorsError, match=r"has no part 2/99, 3\. Nothing was changed"):
            sync_mirror(here, ranges=["3", "2/99"], is_dry_run=is_dry_run)
    assert record(here) == before


@needs_rsync
def test_a_server_that_was_not_reached_leaves_nothing_unfinished(
    rsyncd: tuple[str, Path], tmp_path: Path
) -> None:
    origin, here = rsyncd[0], tmp_path / "my mirror"
    with pytest.raises(XtalpriorsError, match="again to go on"):
        sync_mirror(here, f"rsync://127.0.0.1:{free_port()}/cif/")
    assert record(here)["unfinished"] == []
    assert sync_mirror(here, origin, ranges=["2/01"]).unfinished == ()
    (here / MARK).write_text(json.dumps(record(here) | {"unfinished": ["2/00", "9"]}))
    said = str(sync_mirror(here, ranges=["2/01"]))
    assert f"not complete yet (2/00, 9). `xtalpriors sync '{here}' --range 2/00 --range 9` goes on." in said
    (here / MARK).write_text(json.dumps(record(here) | {"unfinished": [""]}))
    assert f"not complete yet. `xtalpriors sync '{here}'` goes on." in str(sync_mirror(here, ranges=["2/01"]))
    assert sync_mirror(here).unfinished == ()


@needs_rsync
def test_one_file_that_went_back_is_said(rsyncd: tuple[str, Path], tmp_path: Path) -> None:
    """Beside one that went on, and one whose header states no revision any more."""
    origin, there = rsyncd
    here = tmp_path / "mirror"
    sync_mirror(here, origin)
    for name, revision in zip(ENTRIES, (176_760, 7, 13), strict=True):
        put(there, name, revision, size=9)
    text = (there / "9/00/00/9000000.cif").read_text()
    (there / "9/00/00/9000000.cif").write_text(text.replace("Revision", "Version"))
    report = sync_mirror(here)
    assert (report.transfer.changed, report.transfer.older, report.revision) == (3, 1, 176_760)
    assert "1 file went back to an older revision" in str(report)
    assert held(here) == {name: (there / name).read_bytes() for name in ENTRIES}


@needs_rsync
def test_an_update_stops_at_its_limit_and_goes_on_from_there(
    rsyncd: tuple[str, Path], tmp_path: Path
) -> None:
    origin, there = rsyncd
    put(there, "1/00/00/1000000.cif", 1, size=100_000)
    put(there, "9/99/99/9999999.cif", 2, size=4_000_000)
    here = tmp_path / "mirror"
    report = sync_mirror(here, origin, limits=MirrorLimits(size_bytes=50_000, kilobytes_per_second=2_000))
    assert report.unfinished == ("",)
    assert "The mirror is not complete yet. Run" in str(report)
    (stopped,) = record(here)["runs"]
    assert (stopped["is_complete"], stopped["new"]) == (False, report.transfer.new) != (False, 0)
    assert "1/00/00/1000000.cif" in held(here)
    assert sync_mirror(here).unfinished == ()
    assert record(here)["runs"][1]["is_complete"]
    assert held(here).keys() == {*ENTRIES, "1/00/00/1000000.cif", "9/99/99/9999999.cif"}


@needs_rsync
def test_an_update_after_one_that_did_not_end_knows_the_revision_of_all_files(
    rsyncd: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Killed, an update records no revision of what it brought; the next one finds those files in place."""
    here = tmp_path / "mirror"
    sync_mirror(here, rsyncd[0])
    unfinished = record(here) | {"runs": [], "unfinished": ["2", "9"]}
    (here / MARK).write_text(json.dumps(unfinished))
    monkeypatch.chdir(tmp_path)
    assert run(["mine", "--source", "mirror", "--database", "my.duckdb", "--workers", "1"]) == 0
    assert "mirror is not complete (2, 9): what has not come" in capsys.readouterr().out
    assert sync_mirror(here).revision == max(ENTRIES.values())
    assert incomplete_mirrors([TreeSource(here), TreeSource(rsyncd[1])]) == []


def test_two_updates_of_one_mirror_at_once(tmp_path: Path) -> None:
    there, here = cod(tmp_path / "server"), tmp_path / "mirror"
    archive = str(pack(there, tmp_path / "a.tgz"))
    here.mkdir()
    with alone(here):
        with pytest.raises(XtalpriorsError, match="Another process is updating the mirror"):
            sync_mirror(here, archive)
        assert sync_mirror(here, archive, is_dry_run=True).transfer.new == 4
    assert held(here) == {} and sync_mirror(here, archive).transfer.new == 4


@needs_rsync
def test_what_a_killed_update_was_working_on_is_removed(
    rsyncd: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a folder with a colon in its name is one of this machine."""
    monkeypatch.chdir(tmp_path)
    here = Path("cod:cif")
    left = here / ".rsync-temporary" / "9000000.cif.Xy12Zw"
    left.parent.mkdir(parents=True)
    left.write_text("half of a file")
    sync_mirror(here, rsyncd[0], adopt=True)
    assert held(here).keys() == ENTRIES.keys()


@needs_rsync
@pytest.mark.parametrize("what", ["Ctrl-C", "server dies", "kill -9"])
def test_an_interrupted_transfer_goes_on(rsyncd: tuple[str, Path], tmp_path: Path, what: str) -> None:
    origin, there = rsyncd
    put(there, "9/99/99/9999999.cif", 99, size=30_000_000)
    here = tmp_path / "mirror"
    command = [
        sys.executable,
        "-m",
        "xtalpriors",
        "sync",
        str(here),
        "--from",
        origin,
        "--kB-per-second",
        "3000",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if list(here.rglob("9000000.cif")) and list(here.rglob("9999999.cif.*")):
            break
        time.sleep(0.05)
    if what == "Ctrl-C":
        process.send_signal(signal.SIGINT)
    elif what == "kill -9":
        process.kill()
    else:
        subprocess.run(["pkill", "-KILL", "-f", f"config={tmp_path}/rsyncd.conf"], check=False)
    said = process.communicate(timeout=60)[1]
    if what == "kill -9":
        for _ in range(60):  # the file alone takes ten seconds
            if not (running := subprocess.run(["pgrep", "-f", f"^rsync .*{here}/"]).returncode == 0):
                break
            time.sleep(0.05)
        assert not running or sys.platform != "linux"
        return
    assert process.returncode == (130 if what == "Ctrl-C" else 1), said
    assert ("Interrupted" if what == "Ctrl-C" else "again to go on") in " ".join(said.split())
    assert "xtalpriors sync" in said or what != "Ctrl-C"
    assert record(here)["unfinished"] == [""]
    assert "9/99/99/9999999.cif" not in held(here)
    if what == "Ctrl-C":
        assert sync_mirror(here).unfinished == ()
        whole = {*ENTRIES, "9/99/99/9999999.cif"}
        assert held(here) == {name: (there / name).read_bytes() for name in whole}


@pytest.fixture
def svnserve(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A repository that a server offers, and a working copy to commit from."""
    repository, work, port = tmp_path / "repository", tmp_path / "work", free_port()
    subprocess.run(["svnadmin", "create", repository], check=True)
    cod(work)
    subprocess.run(["svn", "import", "-q", "-m", "all", work, f"file://{repository}/cif"], check=True)
    shutil.rmtree(work)
    subprocess.run(["svn", "checkout", "-q", f"file://{repository}/cif", work], check=True)
    command = ["svnserve", "--daemon", "--foreground", "--listen-host=127.0.0.1", f"--listen-port={port}"]
    with server([*command, "--root", str(repository)], port):
        yield f"svn://127.0.0.1:{port}/cif", work


def commit(work: Path) -> None:
    subprocess.run(["svn", "commit", "-q", "-m", "more", work], check=True)


@needs_svn
def test_svn_brings_a_revision_and_records_it(svnserve: tuple[str, Path], tmp_path: Path) -> None:
    origin, there = svnserve
    here = tmp_path / "mirror"
    part = sync_mirror(here, origin, ranges=["2/01"])
    assert (part.transfer.new, part.revision) == (1, 1)
    dry = sync_mirror(here, is_dry_run=True)
    assert (dry.transfer.new, dry.transfer.changed, dry.transfer.deleted) == (
        3,
        0,
        0,
    )  # the link looks a file
    whole = sync_mirror(here)
    assert whole.transfer.new == 2
    assert {name for name in held(here) if name.endswith(".cif")} == set(ENTRIES)

    put(there, "9/00/00/9000000.cif", 20, size=5)
    put(there, "2/00/00/2000000.cif", 21)
    put(there, "2/02/00/2020000.cif", 22)
    subprocess.run(["svn", "add", "-q", there / "2/02"], check=True)
    subprocess.run(["svn", "rm", "-q", there / "2/01/64/2016452.cif"], check=True)
    commit(there)
    (here / "2/00/00/2000000.cif").write_text("edited here")
    dry = sync_mirror(here, is_dry_run=True)
    assert (dry.transfer.new, dry.transfer.changed, dry.transfer.deleted) == (2, 2, 1)
    report = sync_mirror(here)
    assert (report.transfer.new, report.transfer.changed, report.transfer.deleted) == (1, 1, 1)
    assert report.transfer.skipped == 2  # the link again, which svn restores
    assert not any(path.is_symlink() for path in here.rglob("*"))
    assert report.revision == 2
    assert (here / "2/00/00/2000000.cif").read_text() == "edited here"
    assert (here / "9/00/00/9000000.cif").read_bytes() == (there / "9/00/00/9000000.cif").read_bytes()


@needs_svn
def test_svn_deletes_no_more_than_it_may_and_counts_the_entries_of_folders(
    svnserve: tuple[str, Path], tmp_path: Path
) -> None:
    origin, there = svnserve
    here = tmp_path / "mirror"
    sync_mirror(here, origin)
    subprocess.run(["svn", "rm", "-q", there / "2"], check=True)
    put(there, "9/00/00/9000000.cif", 7)
    commit(there)
    before = held(here)
    with pytest.raises(XtalpriorsError, match=r"[Nn]o longer at .*: 2 entries .* --max-deletions 2"):
        sync_mirror(here, limits=MirrorLimits(deletions=1))
    assert held(here) == before and record(here)["unfinished"] == []
    dry = sync_mirror(here, limits=MirrorLimits(deletions=1), is_dry_run=True)
    assert dry.transfer.deleted == 2 and "run with --max-deletions 2" in str(dry)
    report = sync_mirror(here, limits=MirrorLimits(deletions=2))
    assert (report.transfer.changed, report.transfer.deleted, report.transfer.older) == (1, 2, 1)
    assert [name for name in held(here) if name.endswith(".cif")] == ["9/00/00/9000000.cif"]


@needs_svn
def test_a_repository_without_entries_is_refused(svnserve: tuple[str, Path], tmp_path: Path) -> None:
    address = f"file://{tmp_path}/repository/empty"
    subprocess.run(["svn", "mkdir", "-q", "-m", "x", address], check=True)
    for origin in (address, svnserve[0] + "/9/00"):  # the second has entries, at other places
        for is_dry_run in (True, False):
            with pytest.raises(XtalpriorsError, match=r"holds no file such as .* Is it a copy of the COD"):
                sync_mirror(tmp_path / "mirror", origin, is_dry_run=is_dry_run)
    assert not (tmp_path / "mirror" / ".svn").exists()
    with pytest.raises(UsageError, match="Only rsync can be slowed down"):
        sync_mirror(tmp_path / "mirror", address, limits=MirrorLimits(kilobytes_per_second=5))


@needs_svn
def test_an_older_repository_is_refused(svnserve: tuple[str, Path], tmp_path: Path) -> None:
    origin, there = svnserve
    here = tmp_path / "mirror"
    put(there, "9/00/00/9000000.cif", 20, size=5)
    commit(there)
    sync_mirror(here, origin)
    old = tmp_path / "old"
    subprocess.run(["svnadmin", "create", old], check=True)
    subprocess.run(["svn", "import", "-q", "-m", "all", there / "9", f"file://{old}/cif/9"], check=True)
    before = held(here)
    with pytest.raises(XtalpriorsError, match="at revision 1, older than the 2"):
        sync_mirror(here, f"file://{old}/cif", adopt=True)
    with pytest.raises(XtalpriorsError, match="Check the host and the folder"):
        sync_mirror(here, f"file://{tmp_path}/nowhere", adopt=True)
    assert record(here)["origin"] == origin
    assert held(here) == before


@needs_svn
def test_a_repository_at_another_address_is_followed_and_another_repository_refused(
    svnserve: tuple[str, Path], tmp_path: Path
) -> None:
    """The working copy has an address of its own: an update that names another one must not use the first."""
    origin, there = svnserve
    here, moved = tmp_path / "mirror", f"file://{tmp_path / 'repository'}/cif"
    sync_mirror(here, origin)
    put(there, "9/00/00/9000000.cif", 20)
    commit(there)
    assert sync_mirror(here, moved, adopt=True, is_dry_run=True).transfer.changed == 1
    assert sync_mirror(here, moved, adopt=True).transfer.changed == 1
    info = subprocess.run(["svn", "info", here], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert f"URL: {moved}\n" in info and record(here)["origin"] == moved

    other = tmp_path / "other"
    subprocess.run(["svnadmin", "create", other], check=True)
    for i in range(3):
        subprocess.run(["svn", "mkdir", "-q", "-m", "x", f"file://{other}/{i}"], check=True)
    before = held(here)
    for address in (f"file://{other}/2", f"file://{tmp_path / 'repository'}/cif/9"):
        for is_dry_run in (True, False):
            with pytest.raises(UsageError, match="another repository or another folder"):
                sync_mirror(here, address, adopt=True, is_dry_run=is_dry_run)
    assert held(here) == before and record(here)["origin"] == moved


@needs_svn
def test_svn_does_not_take_over_files_that_it_would_leave_as_they_are(
    svnserve: tuple[str, Path], tmp_path: Path
) -> None:
    here = tmp_path / "mirror"
    put(here, "9/00/00/9000000.cif", 3)
    before = held(here)
    with pytest.raises(UsageError, match="holds entries and is no working copy of svn"):
        sync_mirror(here, svnserve[0], adopt=True)
    assert held(here) == before


def pack(root: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root, "cod/cif")
        evil = tarfile.TarInfo("../../9/00/00/9000002.cif")
        tar.addfile(evil)
    return archive


def test_an_archive_is_unpacked_into_the_layout(tmp_path: Path) -> None:
    there, here = cod(tmp_path / "server"), tmp_path / "mirror"
    report = sync_mirror(here, str(pack(there, tmp_path / "a.tgz")))
    assert (report.transfer.new, report.revision) == (4, 12)  # not the link; one from an odd path
    put(there, "9/00/00/9000000.cif", 3, size=5)
    (there / "2/00/00/2000000.cif").unlink()
    dry = sync_mirror(here, str(pack(there, tmp_path / "b.tgz")), is_dry_run=True)
    assert "1 file would go back to an older revision" in str(dry)
    report = sync_mirror(here, str(tmp_path / "b.tgz"))
    assert (report.transfer.changed, report.transfer.deleted, report.transfer.older) == (1, 1, 1)
    assert "1 file went back to an older revision" in str(report)


def test_a_damaged_archive_deletes_nothing(tmp_path: Path) -> None:
    there, here = cod(tmp_path / "server"), tmp_path / "mirror"
    archive = tmp_path / "cod.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(there, "cif")
    sync_mirror(here, str(archive))
    before = held(here)
    cut = archive.read_bytes()
    archive.write_bytes(cut[: cut.index(b"cif/9/00/00")])
    with pytest.raises(XtalpriorsError, match=r"cod\.tar is damaged or cut off after 3 files.*Nothing was"):
        sync_mirror(here)
    assert held(here) == before


def test_an_entry_that_an_archive_holds_twice(tmp_path: Path) -> None:
    there, here, name = tmp_path / "server", tmp_path / "mirror", "9/00/00/9000000.cif"
    archive = tmp_path / "cod.tar"
    for mode, revision, folder in [("w", 12, "cif"), ("a", 13, "./cif")]:
        put(there, name, revision)
        with tarfile.open(archive, mode) as tar:  # type: ignore[call-overload]
            tar.addfile(renamed(tar.gettarinfo(there / name), f"{folder}/{name}"), (there / name).open("rb"))
    assert sync_mirror(here, str(archive)).revision == 13
    assert held(here) == {name: (there / name).read_bytes()}
    with tarfile.open(archive, "a") as tar:
        tar.add(there / name, f"old/{name}")
    with pytest.raises(XtalpriorsError, match=r"twice, as \./cif/9/00/00/9000000\.cif and as old/9/00"):
        sync_mirror(here)


def test_a_mistyped_origin_does_not_take_the_place_of_the_right_one(tmp_path: Path) -> None:
    there, here = cod(tmp_path / "server"), tmp_path / "mirror"
    first = pack(there, tmp_path / "a.tgz")
    sync_mirror(here, str(first))
    before = record(here)
    cut, foreign = tmp_path / "cut.zip", tmp_path / "foreign.tar"
    cut.write_bytes(b"PK\x03\x04")
    with tarfile.open(foreign, "w") as tar:
        tar.add(there / "2/00/00/readme.txt", "readme.txt")
    for wrong in (cut, foreign):
        with pytest.raises(XtalpriorsError):
            sync_mirror(here, str(wrong), adopt=True)
        assert record(here) == before
        with pytest.raises(XtalpriorsError):
            sync_mirror(tmp_path / "new", str(wrong))
        assert not (tmp_path / "new").exists()
    second = pack(there, tmp_path / "b.tgz")
    first.unlink()
    sync_mirror(here, str(second))
    assert record(here)["origin"] == str(second)


@needs_rsync
def test_an_address_that_is_wrong_says_what_to_give(rsyncd: tuple[str, Path], tmp_path: Path) -> None:
    origin, here = rsyncd[0], tmp_path / "mirror"
    sync_mirror(here, origin)
    before = record(here)
    for wrong, said in [
        (origin.replace("/cif/", "/cfi/"), "Unknown module 'cfi'. .* lists the modules"),
        (origin + "nowhere/", "Check the folder in the address"),
        ("rsync://no-such-host.invalid/cif/", "Check the name of the host|again to go on"),
    ]:
        with pytest.raises(XtalpriorsError, match=said):
            sync_mirror(here, wrong, adopt=True)
        assert record(here) == before
    sync_mirror(here, origin.replace("127.0.0.1", "localhost"), adopt=True)
    assert record(here)["origin"] == origin.replace("127.0.0.1", "localhost")


def renamed(member: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    """A member under a name as it stands: `add` takes `./` off."""
    member.name = name
    return member


@pytest.mark.parametrize(
    ("origin", "ranges", "said"),
    [
        ("https://www.crystallography.net/cod", [], "not want its pages crawled"),
        ("rsync://127.0.0.1/cif/", ["2/1"], "'2/1' is no part of the COD"),
        ("rsync://127.0.0.1/cif/", ["../x"], "no part of the COD"),
        ("cod.tgz", [], "There is no archive cod.tgz"),
        ("rsync://", [], "no whole address: those are rsync://HOST/MODULE/"),
        ("rsync://127.0.0.1/", [], "no whole address"),
        ("svn://", [], "no whole address"),
    ],
)
def test_origins_and_ranges_that_are_none(tmp_path: Path, origin: str, ranges: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        sync_mirror(tmp_path / "mirror", origin, ranges=ranges)
    assert not (tmp_path / "mirror").exists()


def test_a_folder_that_is_no_mirror_is_left_alone(tmp_path: Path) -> None:
    archive = str(pack(cod(tmp_path / "server"), tmp_path / "a.tgz"))
    with pytest.raises(XtalpriorsError):
        sync_mirror(tmp_path / "misspelt", "svn://127.0.0.1:1/cod")
    assert sync_mirror(tmp_path / "misspelt", archive).transfer.new == 4  # nothing had come, nothing is lost
    here = tmp_path / "mine"
    put(here, "2/00/00/2000000.cif", 1)
    with pytest.raises(UsageError, match="--adopt"):
        sync_mirror(here, archive)
    assert list(held(here)) == ["2/00/00/2000000.cif"]
    sync_mirror(here, archive, adopt=True)
    with pytest.raises(UsageError, match=r"is a mirror of .*a\.tgz, not of rsync"):
        sync_mirror(here, "rsync://127.0.0.1/cif/")
    (here / MARK).write_text("{}")
    with pytest.raises(UsageError, match="cannot be read"):
        sync_mirror(here, archive)


def test_sources_of_mirrors_that_are_not_there_yet(tmp_path: Path) -> None:
    there = tmp_path / "my mirror"
    for source in (str(there), f"cod:{there}", f"mine={there}", f"mine=cod:{there}"):
        with pytest.raises(UsageError, match=f"is not there. .* `xtalpriors sync '{there}'` makes"):
            mirrors_of(["amcsd", f"archive:{there}.zip", source])


def test_a_full_disk_asks_for_space() -> None:
    said = 'rsync: write failed on "/m/9/00/00/9000000.cif": No space left on device (28)'
    assert "kept; free some space and run the same command again" in go_on(said)
    assert "kept; run the same command again to go on" in go_on("read error: Connection reset by peer (104)")


def test_a_file_in_the_place_of_the_mirror_is_said(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("three years of notes")
    for root in (notes, notes / "cod"):
        with pytest.raises(UsageError, match=r"notes\.txt is a file"):
            sync_mirror(root, is_dry_run=True)
    assert notes.read_text() == "three years of notes"
