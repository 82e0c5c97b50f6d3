"""A section through a density as an image of a page: white where nothing is, blue where it is highest."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Final

import numpy as np
from matplotlib import image

from xtalpriors.arrays import F64

__all__ = ["density_png"]

_DENSEST: Final = np.array([0.0, 0.30, 0.55])
"""Red, green and blue of the highest density."""


def density_png(strength: F64) -> str:
    """A PNG image for `href`: white where `strength` (rows, columns) is 0, blue where it is 1."""
    buffer = BytesIO()
    pixels = np.clip(1.0 - strength[..., None] * (1.0 - _DENSEST), 0.0, 1.0)
    image.imsave(buffer, pixels, format="png", metadata={"Software": "xtalpriors"})
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode("ascii")
