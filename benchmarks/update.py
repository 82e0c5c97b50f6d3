"""An update as a user does it: half of a corpus is mined, fitted and released, then the whole of it.

    python benchmarks/update.py --corpus DIR --folder WORK

In WORK, which must not be there, the pipeline is set up without its network (stages mine, subset, fit,
report) on every second file of the corpus. `dvc repro`, a release, `dvc repro` with nothing changed; then
the other half comes, ten files are marked as retracted, ten get the content of another entry, ten get other
times, five go; and `dvc repro` once more. Printed are the wall times, which stages ran, and what `mine` and
`subset` said; the first section of WORK/reports/cod/index.html is what a user reads.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CODE = ("src", "crystal", "mining", "priors", "generator", "model", "reports", "presets")
STAGES = ("mine", "subset", "fit", "report")
OF_OTHERS = ("/generated", "/evaluation/", "/powder/digest", "data/models")


def copy_code(work: Path) -> None:
    """The code that the stages of the pipeline depend on."""
    for name in CODE:
        ignored = shutil.ignore_patterns("__pycache__", "fitted", "amcsd", "index.html")
        shutil.copytree(ROOT / name, work / name, ignore=ignored)


def set_up(work: Path, tree: Path) -> None:
    """The pipeline in a folder of its own: a copy of the code, `dvc.yaml` with four stages, one corpus."""
    copy_code(work)
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    stages: dict[str, Any] = {name: pipeline["stages"][name] for name in STAGES}
    report = stages["report"]["do"]
    report["deps"] = [dep for dep in report["deps"] if not any(part in str(dep) for part in OF_OTHERS)]
    (work / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False), encoding="utf-8")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["corpora"] = {"cod": {"sources": [str(tree)]}}
    (work / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    run(work, "dvc", "init", "--no-scm", "--quiet")


def run(work: Path, *command: str) -> tuple[float, str]:
    """Wall seconds and output of a command."""
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=work, env=os.environ | {"PATH": paths}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout}")
    return time.monotonic() - start, done.stdout


def repro(work: Path, title: str) -> None:
    """`dvc repro`, with the stages that ran and those that were left alone."""
    seconds, text = run(work, "dvc", "repro")
    ran = re.findall(r"Running stage '([^']+)'", text)
    spared = re.findall(r"Stage '([^']+)' didn't change", text)
    print(f"\n{title}: {seconds:.1f} s; ran {', '.join(ran) or 'nothing'}")
    print(f"  left alone: {', '.join(spared) or 'nothing'}")
    for line in text.splitlines():
        if line.startswith(("mine:", "manifest:", "      ")) or re.match(r"[a-z0-9-]+: [\d,]+ entries", line):
            print(f"  {line}")


def update(corpus: Path, tree: Path, files: list[Path]) -> None:
    """What the COD does between two releases, and what a disk does to times."""
    there = [path for path in files[::2] if (tree / path).is_file()]
    for path in files[1::2]:
        copy(corpus, tree, path)
    for path in there[:10]:
        text = (tree / path).read_text(encoding="utf-8", errors="surrogateescape")
        text = re.sub(r"(?m)^(data_\S+)", r"\1\n_cod_error_flag retracted", text, count=1)
        (tree / path).write_text(text, encoding="utf-8", errors="surrogateescape")
    for path, other in zip(there[20:30], there[40:50], strict=True):
        (tree / path).write_bytes((corpus / other).read_bytes())
    for path in there[60:70]:
        os.utime(tree / path, (10**9, 10**9))
    for path in there[80:85]:
        (tree / path).unlink()


def copy(corpus: Path, tree: Path, path: Path) -> None:
    """One file of the corpus into the tree."""
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(corpus / path, tree / path)


def main() -> None:
    """Run the update."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="tree of CIFs in the layout of the COD")
    parser.add_argument("--folder", type=Path, required=True, help="where to work; it is made")
    arguments = parser.parse_args()
    corpus, work = arguments.corpus.resolve(), arguments.folder.resolve()
    work.mkdir(parents=True)
    tree = work / "mirror"
    files = sorted(path.relative_to(corpus) for path in corpus.rglob("*.cif"))
    for path in files[::2]:
        copy(corpus, tree, path)
    set_up(work, tree)
    repro(work, f"{len(files[::2]):,} files, from nothing")
    print(run(work, "xtalpriors", "priors", "release", "1", "--corpus", "cod")[1].strip())
    repro(work, "after the release")
    repro(work, "nothing changed")
    update(corpus, tree, files)
    repro(work, f"the update to {len(files) - 5:,} files")
    repro(work, "nothing changed")
    print(f"\n{work / 'reports' / 'cod' / 'index.html'}")


if __name__ == "__main__":
    main()
