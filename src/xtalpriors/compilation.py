"""How the kernels are compiled, and where their machine code is kept between runs.

Numba keeps machine code beside the source of a kernel and compiles again when that one file changes. A kernel
also contains the code of every kernel that it calls, and the constants that these read, from other files. So
the folder of the machine code is named here by a hash of the kernel's source file and of all that it imports,
directly or through others: whatever is edited or upgraded, old machine code is never found again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from xtalpriors.errors import XtalpriorsWarning
from xtalpriors.file_lock import take_lock

__all__ = ["compiling_alone", "is_compiled", "kernel", "kernel_folder", "mark_compiled"]

_COMPILED = "compiled"
_COMPILING = "compiling"
_LOCK = "lock"
_POLL_SECONDS = 0.1

_IMPORT = re.compile(r"^[ \t]*from xtalpriors\.([\w.]+) import ([^\n(]+|\([^)]*\))", re.MULTILINE)

_ROOT = Path(__file__).parent
_NAME = re.compile("[0-9a-f]{20}")
"""Names of the folders with machine code: a user may keep other things beside them."""
_UNUSED_SECONDS = 30 * 24 * 3600
_setting = threading.Lock()


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: `numba.njit` with the given options, cached in `kernel_folder`.

    Numba reads the name of the folder when it decorates a function. The setting is put back at once, so that
    kernels of other packages are kept where they were before.
    """

    import numba  # here, so that a program can ask `is_compiled` without loading it

    def decorate(function: Callable[..., Any]) -> Any:
        folder = kernel_folder(function.__module__)
        if folder is None:
            return numba.njit(**options)(function)
        with _setting:
            before = numba.config.CACHE_DIR
            numba.config.CACHE_DIR = str(folder)
            try:
                dispatcher = numba.njit(cache=True, **options)(function)
            finally:
                numba.config.CACHE_DIR = before
        _keep_in(folder, dispatcher)
        return dispatcher

    return decorate


def _keep_in(folder: Path, dispatcher: Any) -> None:
    """Keep a kernel's machine code in the folder, wherever its source lies and of whatever date it is.

    Numba would make a folder for each place of the source file and compile again when its date changes. The
    name of `folder` says all that the code follows from, so a second copy of the package, or a file that is
    only newer, loads what is there.

    One process at a time saves. Numba numbers the files of a kernel's machine code by an index, which it
    reads and writes in two steps. Of two processes that save at one time, one could leave its code under the
    number of the other's, and whoever loads it later would run the wrong code.
    """
    cache = getattr(dispatcher, "_cache", None)
    if cache is None or not hasattr(cache, "_cache_file"):  # with NUMBA_DISABLE_JIT there is nothing to save
        return
    from numba.core.caching import IndexDataCacheFile

    file = IndexDataCacheFile(str(folder), cache._impl.filename_base, source_stamp=folder.name)
    cache._cache_path, cache._cache_file = str(folder), file
    save = file.save

    def save_alone(*arguments: Any) -> Any:
        with (folder / _LOCK).open("w") as opened:
            take_lock(opened, wait=True)
            return save(*arguments)

    file.save = save_alone


@contextlib.contextmanager
def compiling_alone(module: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Around the first use of a module's kernels: one process compiles them, and others wait to load them.

    Workers of one machine, and those of a cluster whose machines share a home folder, begin together and
    would all compile the same. Whoever enters when `mark_compiled` has been called, or is called while it
    waits, goes on at once.

    Parameters
    ----------
    module
        As for `is_compiled`.
    waiting
        Called again and again while another process compiles.
    """
    folder = None if is_compiled(module) else kernel_folder(module)
    if folder is not None:
        with (folder / _COMPILING).open("w") as lock:
            while not take_lock(lock) and not is_compiled(module):
                waiting()
                time.sleep(_POLL_SECONDS)
            if not is_compiled(module):
                yield
                return
    yield


@functools.cache
def kernel_folder(module: str) -> Path | None:
    """Folder with the machine code of the kernels of a module, made if need be.

    It is the first of these that can be written: `$NUMBA_CACHE_DIR/xtalpriors/HASH`, then
    `xtalpriors/kernels/HASH` in the user's cache folder (`$XDG_CACHE_HOME` or `~/.cache`), then
    `xtalpriors-USER/HASH` among the temporary files. Without any, every process compiles for itself (None).
    When a folder is made, those beside it that no process has opened for 30 days are removed.
    """
    sources = [version("numba"), version("llvmlite"), Path(__file__).read_text("utf-8")]
    for file in sorted(_sources(module)):
        sources += [file.relative_to(_ROOT).as_posix(), _text(file)]
    name = hashlib.sha256("\0".join(sources).encode()).hexdigest()[:20]
    for base in _bases():
        folder = base / name
        with contextlib.suppress(OSError):
            is_new = not folder.is_dir()
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            os.utime(folder)
            if is_new:
                _remove_unused(base)
            return folder
        if "NUMBA_CACHE_DIR" in os.environ and base.parent == Path(os.environ["NUMBA_CACHE_DIR"]):
            warnings.warn(
                f"NUMBA_CACHE_DIR is {base.parent}, where nothing can be written: the machine code of the "
                "kernels is kept elsewhere.",
                XtalpriorsWarning,
                stacklevel=2,
            )
    return None


def is_compiled(module: str) -> bool:
    """Whether all that a module needs has been compiled on this machine, as `mark_compiled` has noted."""
    folder = kernel_folder(module)
    return folder is not None and (folder / _COMPILED).exists()


def mark_compiled(module: str) -> None:
    """Note that the kernels of a module and of all that it imports are compiled and kept."""
    if folder := kernel_folder(module):
        (folder / _COMPILED).touch()


def _bases() -> Iterator[Path]:
    """Where folders of machine code can be, the best first."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen, "xtalpriors")
    with contextlib.suppress(RuntimeError):  # of a user without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "xtalpriors", "kernels")
    user = os.getuid() if hasattr(os, "getuid") else None
    temporary = Path(tempfile.gettempdir(), f"xtalpriors-{user}")
    # Machine code that another user has put there would be run.
    if user is None or not temporary.exists() or temporary.stat().st_uid == user:
        yield temporary


def _sources(module: str) -> set[Path]:
    """Source files of a module and of everything in this package that it imports, directly or not."""
    found: set[Path] = set()
    pending = [module.removeprefix("xtalpriors.")]
    while pending:
        file = _file(pending.pop())
        if file is None or file in found:
            continue
        found.add(file)
        pending += _imports(file)
    return found


@functools.cache
def _imports(file: Path) -> list[str]:
    """Modules of this package that a file imports, and names from them, of which some are modules too."""
    imports: list[str] = []
    for source, names in _IMPORT.findall(_text(file)):
        imports += [source, *(f"{source}.{name}" for name in re.findall(r"\w+", names))]
    return imports


@functools.cache
def _file(module: str) -> Path | None:
    """Source of a module or package of xtalpriors, None where a name is something else."""
    path = _ROOT.joinpath(*module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


@functools.cache
def _text(file: Path) -> str:
    return file.read_text("utf-8")


def _remove_unused(base: Path) -> None:
    """Remove the folders of machine code that no process has opened for 30 days, and nothing else."""
    for folder in (path for path in base.iterdir() if _NAME.fullmatch(path.name)):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _UNUSED_SECONDS:
                shutil.rmtree(folder)
