"""Machine code that is kept belongs to the sources as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from xtalpriors import compilation

PARTS = ("crystal", "mining", "generator")

INNER = """
from xtalpriors.compilation import kernel

STEP = 1


@kernel(forceinline=True)
def step():
    return STEP
"""
OUTER = """
from xtalpriors.compilation import kernel
from xtalpriors.crystal.inner import step


@kernel()
def twice():
    return 2 * step()
"""
MAIN = """
import numba
from xtalpriors.{part}.outer import twice

print(twice(), sum(twice.stats.cache_hits.values()), numba.config.CACHE_DIR == {cache!r})
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of the same name with two kernels, one of which contains the other."""
    root = tmp_path / "code" / "xtalpriors"
    for part in PARTS:
        (root / part).mkdir(parents=True)
        (root / part / "__init__.py").touch()
        (root / part / "outer.py").write_text(OUTER)
    (root / "__init__.py").touch()
    (root / "crystal" / "inner.py").write_text(INNER)
    for name in ("compilation.py", "errors.py", "file_lock.py"):
        shutil.copy(Path(compilation.__file__).with_name(name), root / name)
    return root


@pytest.mark.slow
def test_machine_code_is_saved_by_one_process_at_a_time(package: Path, tmp_path: Path) -> None:
    """Two that save at once could leave code under the number of other code; so the second waits."""
    fcntl = pytest.importorskip("fcntl", reason="needs file locks")
    cache = tmp_path / "cache"
    run(package, NUMBA_CACHE_DIR=str(cache))
    for file in [*cache.rglob("*.nb?")]:
        file.unlink()
    code = MAIN.format(part="generator", cache="")
    environment = os.environ | {"PYTHONPATH": str(package.parent), "NUMBA_CACHE_DIR": str(cache)}
    with ExitStack() as stack:
        for lock in [*cache.rglob("lock")]:
            fcntl.flock(stack.enter_context(lock.open("w")), fcntl.LOCK_EX)
        waiting = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=5)
        assert not [*cache.rglob("*.nbc")]
    output, _ = waiting.communicate(timeout=60)
    assert output.split()[0] == b"2" and [*cache.rglob("*.nbc")]


def run(package: Path, part: str = "generator", **environment: str) -> list[str]:
    """Result of the kernel, times that machine code was found, and whether the user's setting stands."""
    cache = environment.get("NUMBA_CACHE_DIR", "")
    clean = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    command = [sys.executable, "-B", "-c", MAIN.format(part=part, cache=cache)]
    done = subprocess.run(
        command, env={**clean, **environment}, cwd=package.parent, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize("part", ["mining", "generator"])
def test_an_edited_inlined_kernel_is_compiled_anew(package: Path, tmp_path: Path, part: str) -> None:
    cache = str(tmp_path / "cache")
    assert run(package, part, NUMBA_CACHE_DIR=cache) == ["2", "0", "True"]
    assert run(package, part, NUMBA_CACHE_DIR=cache) == ["2", "1", "True"], "machine code is not kept"
    inner = package / "crystal" / "inner.py"
    stat = inner.stat()
    inner.write_text(INNER.replace("STEP = 1", "STEP = 7"))
    os.utime(inner, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as of an upgrade from an archive
    assert run(package, part, NUMBA_CACHE_DIR=cache) == ["14", "0", "True"]
    inner.write_text(INNER)
    assert run(package, part, NUMBA_CACHE_DIR=cache) == ["2", "1", "True"], "the former folder is still right"


@pytest.mark.slow
def test_an_edit_elsewhere_leaves_the_machine_code(package: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    run(package, NUMBA_CACHE_DIR=cache)
    (package / "crystal" / "outer.py").write_text("# not among what generator/outer.py imports")
    assert run(package, NUMBA_CACHE_DIR=cache) == ["2", "1", "True"]


@pytest.mark.slow
def test_a_copy_of_the_package_loads_what_is_compiled(package: Path, tmp_path: Path) -> None:
    """Another clone with files of another date; the note that all is compiled holds for it too."""
    cache = str(tmp_path / "cache")
    run(package, NUMBA_CACHE_DIR=cache)
    copy = tmp_path / "clone" / "xtalpriors"
    shutil.copytree(package, copy)
    for file in copy.rglob("*.py"):
        os.utime(file, (1e9, 1e9))
    assert run(copy, NUMBA_CACHE_DIR=cache) == ["2", "1", "True"]


def test_folder_of_the_user(package: Path, tmp_path: Path) -> None:
    run(package, XDG_CACHE_HOME=str(tmp_path / "xdg"))
    assert [f.suffix for f in (tmp_path / "xdg" / "xtalpriors" / "kernels").rglob("*outer*.nbi")] == [".nbi"]
    assert not list(package.rglob("*.nbi"))


def test_folder_that_cannot_be_written_is_passed_over(package: Path, tmp_path: Path) -> None:
    blocked, temporary = tmp_path / "file", tmp_path / "tmp"
    blocked.touch()
    temporary.mkdir()
    environment = {"NUMBA_CACHE_DIR": str(blocked), "XDG_CACHE_HOME": str(blocked)}
    assert run(package, **environment, TMPDIR=str(temporary)) == ["2", "0", "True"]
    assert run(package, **environment, TMPDIR=str(temporary)) == ["2", "1", "True"]
    assert list(temporary.glob("xtalpriors-*/*/*.nbi"))


def test_folders_of_code_unused_for_a_month_are_removed_and_no_others(package: Path, tmp_path: Path) -> None:
    base = tmp_path / "cache" / "xtalpriors"
    now = time.time()
    recent, old, clone = "0123456789abcdef0123", "fedcba98765432100123", "crystal"
    for name, days in ((recent, 29), (old, 31), (clone, 400)):
        (base / name).mkdir(parents=True)
        (base / name / "code.nbc").touch()
        os.utime(base / name, (now, now - days * 24 * 3600))
    run(package, NUMBA_CACHE_DIR=str(base.parent))
    assert (base / recent / "code.nbc").exists() and not (base / old).exists()
    assert (base / clone / "code.nbc").exists(), "somebody's folder, which only has the name of this package"


def test_every_kernel_is_kept_this_way() -> None:
    """`cache=True` elsewhere would keep machine code that an edit of another file does not renew."""
    root = Path(compilation.__file__).parent
    files = [file for part in PARTS for file in (root / part).rglob("*.py")]
    assert len(files) > 80
    assert not [file for file in files if "cache=True" in file.read_text(encoding="utf-8")]
