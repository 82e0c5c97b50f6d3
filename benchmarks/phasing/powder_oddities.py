"""What the oddities of the published evaluation of CrystalNet do to a score: the same maps in each way.

Maps are those that are looked up by shells, for the test crystals of split S. One line is of true maps that
are turned by a twofold axis, and compared as they stand: about the origin that is most often the same map.

    python benchmarks/phasing/powder_oddities.py --crystals 40
"""

from __future__ import annotations

import argparse

import numpy as np

from xtalpriors.model.powder.data_config import DataConfig
from xtalpriors.model.powder.scoring.methods import LookUp
from xtalpriors.model.powder.scoring.retrieval import Retrieval
from xtalpriors.model.powder.scoring.score import Score, ScoreOptions, best_score, psnr, ssim

WAYS = {
    "as scored here": ScoreOptions(),
    "plane 29 empty": ScoreOptions(empty_plane=True),
    "turned about the middle of the grid": ScoreOptions(periodic_rotations=False),
    "both, as published": ScoreOptions(empty_plane=True, periodic_rotations=False),
    "inverted orientations too": ScoreOptions(inversion=True),
}
TURNED = ("true map, turned about the origin", "true map, turned about the middle")


def main() -> None:
    """Score in every way and print the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crystals", type=int, default=40)
    parser.add_argument("--count", type=int, default=400, help="artificial crystals; a fifth is tested")
    arguments = parser.parse_args()
    train, _, test = DataConfig(count=arguments.count).crystals()
    nearest = LookUp(Retrieval(train), "shells")
    number = min(arguments.crystals, len(test))
    back = (-np.arange(50)) % 50
    found: dict[str, list[Score]] = {name: [] for name in [*WAYS, *TURNED]}
    for i in range(number):
        truth = test.density(i)
        answer = nearest.tries(test.patterns[i], test.composition(i), 50)[0].density
        for name, options in WAYS.items():
            found[name].append(best_score(truth, [answer], options))
        about_origin, about_middle = truth[:, back][:, :, back], truth[:, ::-1, ::-1]
        for name, turned in zip(TURNED, (about_origin, about_middle), strict=True):
            found[name].append(Score(ssim(truth, turned), psnr(truth, turned)))
    print(f"{number} crystals: mean SSIM and PSNR, at most 100 dB")
    for name, scores in found.items():
        mean_psnr = np.mean([min(s.psnr, 100.0) for s in scores])
        print(f"{name:42} {np.mean([s.ssim for s in scores]):.3f} {mean_psnr:6.1f} dB")


if __name__ == "__main__":
    main()
