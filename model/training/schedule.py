"""The learning rate: constant, cosine, or lowered when the loss no longer falls."""

from __future__ import annotations

import math
from typing import Any

from xtalpriors.model.training.config import ScheduleConfig

__all__ = ["Schedule"]


class Schedule:
    """Learning rate of every step; all that it remembers is in `state_dict`.

    Parameters
    ----------
    config
        Kind and numbers. `plateau` stands for the papers' reduction by hand: when the mean loss of `patience`
        windows in a row was not better than the best one before by `threshold`, the next level is taken.
    learning_rate
        The highest rate.
    steps
        Steps of the whole run.
    batch_size
        Structures a step.
    """

    def __init__(self, config: ScheduleConfig, learning_rate: float, steps: int, batch_size: int) -> None:
        self.config, self.learning_rate, self.steps = config, learning_rate, steps
        self.warmup = config.warmup_structures // batch_size
        self.window = max(1, config.window_structures // batch_size)
        self.level, self.best, self.waited = 0, math.inf, 0
        self.sum, self.count = 0.0, 0

    def rate(self, step: int) -> float:
        """Learning rate of step `step`, counted from 0."""
        rate = self.learning_rate
        if step < self.warmup:
            return rate * (step + 1) / (self.warmup + 1)
        if self.config.kind == "cosine":
            done = (step - self.warmup) / max(1, self.steps - self.warmup)
            last = self.config.final_share
            return rate * (last + (1.0 - last) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done))))
        if self.config.kind == "plateau":
            return rate * self.config.levels[self.level]
        return rate

    def observe(self, loss_sum: float, steps: int) -> bool:
        """Take note of the summed loss of some steps; whether the rate was lowered."""
        if self.config.kind != "plateau":
            return False
        self.sum += loss_sum
        self.count += steps
        if self.count < self.window:
            return False
        mean, self.sum, self.count = self.sum / self.count, 0.0, 0
        if mean < self.best * (1.0 - self.config.threshold):
            self.best, self.waited = mean, 0
            return False
        self.waited += 1
        if self.waited < self.config.patience or self.level + 1 >= len(self.config.levels):
            return False
        self.level, self.waited = self.level + 1, 0
        return True

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs, as JSON."""
        best = None if math.isinf(self.best) else self.best
        return {
            "level": self.level,
            "best": best,
            "waited": self.waited,
            "sum": self.sum,
            "count": self.count,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state` was taken."""
        self.level, self.waited = int(state["level"]), int(state["waited"])
        self.best = math.inf if state["best"] is None else float(state["best"])
        self.sum, self.count = float(state["sum"]), int(state["count"])
