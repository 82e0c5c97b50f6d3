"""Size of a dual-space network, apart from the network so that a configuration is read without PyTorch."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen

__all__ = ["DualSpaceSize"]


class DualSpaceSize(Frozen):
    """Size of the network."""

    width: int = Field(default=48, ge=4, le=512, description="Channels at every point")
    convolutions: int = Field(default=2, ge=1, le=8, description="Convolutions a step")
