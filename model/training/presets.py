"""Training presets: YAML files that open with what they reproduce, the command, hours and score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xtalpriors.errors import UsageError
from xtalpriors.model.training.config import TrainConfig, make_config
from xtalpriors.preset_files import lay_over, read_table

__all__ = ["load_preset", "preset_folder", "preset_names"]

_EXTENDS = "extends"


def preset_folder() -> Path:
    """`presets/` of the repository."""
    return Path(__file__).resolve().parents[2] / "presets"


def preset_names(folder: Path | None = None) -> list[str]:
    """Names of the presets there are."""
    return sorted(file.stem for file in (folder or preset_folder()).glob("*.yaml"))


def load_preset(name: str | Path, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """A training configuration from a preset's name or a file.

    Parameters
    ----------
    name
        `demonstrator`, for instance, or the path of a YAML file. A file may say `extends: NAME` and give
        only what differs from that preset (of `presets/`, or of the file's own folder).
    overrides
        Options by dotted name, over those of the file: `{"data.seed": 2}`.

    Raises
    ------
    UsageError
        No such preset or file, no YAML, an unknown key (with the nearest one), or presets that extend
        each other in a circle.
    """
    file = _find(str(name), Path.cwd())
    content = _read(file, ())
    lay_over(content, overrides or {})
    return make_config(content, str(file))


def _find(name: str, beside: Path) -> Path:
    if name.endswith((".yaml", ".yml")):
        file = Path(name) if Path(name).is_absolute() else beside / name
        if file.is_file():
            return file
        raise UsageError(f"There is no preset file {name}. Presets by name: {', '.join(preset_names())}.")
    for folder in (beside, preset_folder()):
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    if Path(name).is_file():
        raise UsageError(f"{name} is no preset: a file of options is YAML, and its name ends in .yaml.")
    raise UsageError(
        f"There is no preset '{name}'; there are: {', '.join(preset_names())}; or give a .yaml file."
    )


def _read(file: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """Content of a file, laid over that of the preset it extends."""
    if file in above:
        raise UsageError(f"{file} extends itself, by way of {', '.join(p.name for p in above)}.")
    content = read_table(file)
    base = content.pop(_EXTENDS, None)
    if base is None:
        content.setdefault("name", file.stem)
        return content
    merged = _merged(_read(_find(str(base), file.parent), (*above, file)), content)
    return merged | {"name": content.get("name", file.stem)}


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Two levels of options; what is above wins, table by table."""
    result = dict(below)
    for key, value in above.items():
        inner = result.get(key)
        result[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result
