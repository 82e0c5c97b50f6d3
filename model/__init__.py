"""Phasing networks: PhAI, its training on generated structures, its scores on real ones, and its use.

Seven parts, each importing only what stands below it:

- `prediction`: from a CIF or a list of reflections of one crystal to its phases and a density map.
- `training`: a network from a configuration and a prior bundle. `scoring`: how well it phases structures
  whose phases are known, beside trivial phases and charge flipping. The two know nothing of each other.
- `measured`: reflections from files, merged.
- `seeding`: all phases from a few approximate ones, of the truth or of a network.
- `dual_space`: a network for any cell and most groups, which improves phases of charge flipping.
- `network`: PhAI itself, its reflections, and the file of weights with its model card.
- `charge_flipping`: phases without a network, in any space group.

`experimental_sets` lets a training run be scored on real structures, and `matrix` trains and compares the
strategies of the generator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.model.experimental_sets import experimental_set as experimental_set
    from xtalpriors.model.matrix import run_matrix as run_matrix
    from xtalpriors.model.measured.check_observations import DOUBTS as DOUBTS
    from xtalpriors.model.measured.read_reflections import HKL_FORMATS as HKL_FORMATS
    from xtalpriors.model.network.card import ModelCard as ModelCard
    from xtalpriors.model.network.phai import PhAI as PhAI
    from xtalpriors.model.network.published_weights import load_published_weights as load_published_weights
    from xtalpriors.model.network.reflections import Reflections as Reflections
    from xtalpriors.model.network.weights import load_model as load_model
    from xtalpriors.model.network.weights import save_model as save_model
    from xtalpriors.model.prediction.phase_crystal import phase_crystal as phase_crystal
    from xtalpriors.model.scoring.evaluate_corpus import evaluate_corpus as evaluate_corpus
    from xtalpriors.model.scoring.evaluate_subsets import Selection as Selection
    from xtalpriors.model.scoring.evaluate_subsets import evaluate_subsets as evaluate_subsets
    from xtalpriors.model.scoring.evaluation_table import read_evaluation as read_evaluation
    from xtalpriors.model.scoring.runs import Protocol as Protocol
    from xtalpriors.model.solving.solution import Solution as Solution
    from xtalpriors.model.solving.solve_file import solve as solve
    from xtalpriors.model.training.config import TrainConfig as TrainConfig
    from xtalpriors.model.training.presets import load_preset as load_preset
    from xtalpriors.model.training.train import discard_run as discard_run
    from xtalpriors.model.training.train import train as train

__getattr__, __all__ = offer(
    __name__,
    {
        "experimental_sets": ["experimental_set"],
        "matrix": ["run_matrix"],
        "network.card": ["ModelCard"],
        "network.phai": ["PhAI"],
        "network.published_weights": ["load_published_weights"],
        "network.reflections": ["Reflections"],
        "network.weights": ["load_model", "save_model"],
        "measured.check_observations": ["DOUBTS"],
        "prediction.phase_crystal": ["phase_crystal"],
        "measured.read_reflections": ["HKL_FORMATS"],
        "scoring.evaluate_corpus": ["evaluate_corpus"],
        "scoring.evaluate_subsets": ["Selection", "evaluate_subsets"],
        "scoring.evaluation_table": ["read_evaluation"],
        "scoring.runs": ["Protocol"],
        "solving.solution": ["Solution"],
        "solving.solve_file": ["solve"],
        "training.config": ["TrainConfig"],
        "training.presets": ["load_preset"],
        "training.train": ["discard_run", "train"],
    },
)
