"""How much a trained network depends on its seeds: a preset trained several times, scored on one set.

Each training differs from the others in its two seeds alone, that of the weights and phases and that of the
structures. A run whose folder has weights already is scored and not trained again, so that the pipeline's own
run (seed 1) can be one of them.

    python benchmarks/training_seeds.py --runs /tmp/seeds --subset data/amcsd/subsets/p21c-10.parquet
    python benchmarks/training_seeds.py --runs /tmp/seeds --run 1=data/models/smoke --subset …

What it prints is the table `TRAININGS` of `reports/phasing/seeds.py`, from which the page on phasing takes
the standard deviation between trainings. Scores are of the protocol of `xtalpriors evaluate`, at most 500
structures of a subset, one of each cluster, as in the pipeline.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from xtalpriors.model import Selection, evaluate_subsets, load_preset, train
from xtalpriors.model.network.weights import load_card
from xtalpriors.priors import published_bundle
from xtalpriors.progress import bar


def main() -> None:
    """Train what is missing, score everything, print the table and the spread."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="smoke")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs: seed-1, seed-2, …")
    parser.add_argument("--run", action="append", default=[], metavar="SEED=DIR", help="a run made before")
    parser.add_argument("--subset", type=Path, action="append", default=[])
    options = parser.parse_args()
    given = dict(pair.split("=", 1) for pair in options.run)
    folders = {seed: Path(given.get(str(seed), options.runs / f"seed-{seed}")) for seed in options.seeds}
    for seed, folder in folders.items():
        if not (folder / "model.safetensors").is_file():
            config = load_preset(options.preset, {"seed": seed, "data.seed": seed})
            train(config, published_bundle(), folder, progress=bar)
    rows: dict[tuple[str, str, str | None, int], list[tuple[float, float]]] = {}
    for folder in folders.values():
        metrics = json.loads((folder / "metrics.json").read_text())["scores"]["generated"]
        key = ("generated", "chosen", None, metrics["n"])
        rows.setdefault(key, []).append((metrics["solved"], metrics["median_r"]))
        for subset in options.subset:
            with tempfile.TemporaryDirectory() as temporary:
                selection = Selection(structures=500, one_per_cluster=True)
                output = Path(temporary) / f"{subset.stem}.parquet"
                found = evaluate_subsets(folder, [subset], output, selection=selection)
            corpus = str(found.evaluation.rows["corpus"][0])
            for name in ("best", "chosen"):
                score = found.summary.scores[name]
                assert score.solved is not None and score.median is not None
                row = rows.setdefault((subset.stem, name, corpus, score.n), [])
                row.append((score.solved, score.median))
    lineage = load_card(folders[options.seeds[0]]).lineage
    assert lineage is not None
    print(f"{options.preset}: priors {lineage.priors_digest}, generator {lineage.generator_digest}")
    for (subset, name, corpus, n), values in rows.items():
        solved, median = zip(*((round(s, 4), round(m, 4)) for s, m in values), strict=True)
        print(f"    Trained({subset!r}, {name!r}, {corpus!r}, {n}, {solved}, {median}),", end="  # ")
        print(f"s.d. {100 * statistics.stdev(solved):.1f} points, {statistics.stdev(median):.3f}")


if __name__ == "__main__":
    main()
