"""The steps of a training of CrystalNet as in Guo et al. 2024, and its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F32
from xtalpriors.model.network.torch_checkpoint import checkpoint_with, load_state, save_state
from xtalpriors.model.powder.crystalnet.config import CrystalNetConfig
from xtalpriors.model.powder.crystalnet.draws import predicted_maps
from xtalpriors.model.powder.crystalnet.network import CrystalNet, kl_divergence
from xtalpriors.model.powder.crystalnet.sampling import augment, formula_inputs, sample_voxels
from xtalpriors.model.powder.dataset import PowderCrystals
from xtalpriors.model.powder.density_maps import POINTS
from xtalpriors.model.powder.scoring.score import best_score
from xtalpriors.outputs import FileKind

__all__ = ["CHECKPOINT", "Trainer"]

_SHUFFLE, _STEP, _VALIDATION = range(3)
"""Streams of random numbers of a run."""


CHECKPOINT = FileKind("a checkpoint of a CrystalNet", checkpoint_with("crystalnet-2024"))


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Crystals as the network is told them."""

    crystals: PowderCrystals
    compositions: F32

    @classmethod
    def of(cls, crystals: PowderCrystals, config: CrystalNetConfig) -> _Inputs:
        """Crystals with their compositions as the network takes them."""
        return cls(crystals, formula_inputs(crystals.compositions, config.formula, config.seed))

    def __len__(self) -> int:
        return len(self.compositions)


class Trainer:
    """A network and its optimiser, how far they are, and the best weights until now.

    Parameters
    ----------
    config
        The run.
    train, validation
        Crystals to train on, and to choose the epoch by.
    device
        Where.
    """

    def __init__(
        self,
        config: CrystalNetConfig,
        train: PowderCrystals,
        validation: PowderCrystals,
        device: torch.device,
    ) -> None:
        self.config, self.device = config, device
        self.train, self.validation = _Inputs.of(train, config), _Inputs.of(validation, config)
        if device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = CrystalNet(config.network)
        self.network = self.network.to(device)
        trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(trained, lr=config.learning_rate)
        self.maps = torch.stack([torch.from_numpy(train.density(i, POINTS)) for i in range(len(self.train))])
        self.epoch, self.step_of_epoch, self.seconds = 0, 0, 0.0
        self.best_ssim: float | None = None
        self.best_epoch: int | None = None
        self.best: dict[str, Tensor] = {}

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch; a last one of a single crystal, which has no variance, is left out."""
        full, rest = divmod(len(self.train), self.config.batch_size)
        return full + (rest > 1)

    @property
    def steps(self) -> int:
        """Steps done."""
        return self.epoch * self.steps_per_epoch + self.step_of_epoch

    def step(self) -> dict[str, Tensor]:
        """One step; its losses."""
        size = self.config.batch_size
        order = np.random.default_rng((self.config.seed, _SHUFFLE, self.epoch)).permutation(len(self.train))
        chosen = order[self.step_of_epoch * size : (self.step_of_epoch + 1) * size]
        losses = self._losses(chosen, np.random.default_rng((self.config.seed, _STEP, self.steps)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate(self.epoch)
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        (losses["l1"] + self.config.kl_weight * losses["kl"]).backward()
        self.optimiser.step()
        self.step_of_epoch += 1
        return {name: loss.detach() for name, loss in losses.items()}

    def _losses(self, chosen: Any, rng: np.random.Generator) -> dict[str, Tensor]:
        """Mean |ρ̂ − ρ| at points drawn, and the divergences of both latents."""
        config, network = self.config, self.network
        network.train()
        patterns, compositions = augment(
            rng,
            self.train.crystals.patterns[chosen],
            self.train.compositions[chosen],
            config.shift_bins,
            config.noise,
        )
        voxels = torch.from_numpy(sample_voxels(rng, len(chosen), config.points_per_edge, POINTS))
        which = torch.from_numpy(np.asarray(chosen))[:, None]
        truth = self.maps[which, voxels[..., 0], voxels[..., 1], voxels[..., 2]].to(self.device)
        noise = rng.standard_normal((len(chosen), 2 * config.network.width), dtype=np.float32)
        latents = network.encode(self._tensor(patterns), self._tensor(compositions))
        z = network.draw(latents, self._tensor(noise))
        density = network.densities(z, (voxels.float() / POINTS).to(self.device))
        kl = kl_divergence(latents.pattern_mean, latents.pattern_std)
        kl = kl + kl_divergence(latents.formula_mean, latents.formula_std)
        return {"l1": (density - truth).abs().mean(), "kl": kl}

    def _tensor(self, values: F32) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def end_epoch(self) -> float | None:
        """Go to the next epoch; the validation score where it is due, whose best weights are kept."""
        self.epoch, self.step_of_epoch = self.epoch + 1, 0
        if self.epoch % self.config.validation.every_epochs and self.epoch < self.config.epochs:
            return None
        score = self.validate()
        if self.best_ssim is None or score > self.best_ssim:
            self.best_ssim, self.best_epoch = score, self.epoch
            self.best = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        return score

    def validate(self) -> float:
        """Mean over validation crystals of the best SSIM over draws and orientations, on a coarse grid.

        The draws of a crystal are the same in every epoch.
        """
        settings = self.config.validation
        scores = []
        self.network.eval()
        for i in range(min(settings.crystals or len(self.validation), len(self.validation))):
            truth = self.validation.crystals.density(i, settings.points)
            drawn = predicted_maps(
                self.network,
                self.validation.crystals.patterns[i],
                self.validation.compositions[i],
                draws=settings.draws,
                points=settings.points,
                seed=(self.config.seed, _VALIDATION, i),
            )
            scores.append(best_score(truth, drawn).ssim)
        return float(np.mean(scores))

    def save(self, folder: Path) -> None:
        """Write the checkpoint; the file before is there until it is whole."""
        content = {
            "config": self.config.model_dump(mode="json"),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "best": self.best,
            "best_ssim": self.best_ssim,
            "best_epoch": self.best_epoch,
            "epoch": self.epoch,
            "step_of_epoch": self.step_of_epoch,
            "seconds": self.seconds,
        }
        save_state(folder, content, CHECKPOINT)

    def load(self, folder: Path) -> bool:
        """Continue from the folder's checkpoint; whether there was one.

        Raises
        ------
        XtalpriorsError
            As `load_state`.
        """
        content = load_state(folder, self.config, self.device)
        if content is None:
            return False
        self.network.load_state_dict(content["network"])
        self.optimiser.load_state_dict(content["optimiser"])
        self.best, self.best_ssim = content["best"], content["best_ssim"]
        self.best_epoch, self.seconds = content["best_epoch"], content["seconds"]
        self.epoch, self.step_of_epoch = content["epoch"], content["step_of_epoch"]
        return True
