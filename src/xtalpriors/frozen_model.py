"""The frozen pydantic model that every configuration and stored record is, and its errors as sentences."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["Frozen", "explain", "option_names"]


class Frozen(BaseModel):
    """Immutable; a key that the model does not know, an infinity or NaN is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def explain(error: ValidationError, model: type[BaseModel], noun: str = "option") -> str:
    """What is wrong with a configuration, as one sentence.

    An unknown key is answered by the nearest one that the model has: ``"`learning` is no option; did you mean
    `optimiser.learning_rate`?"``. `noun` is what the keys are called.
    """
    text = "; ".join(_clause(dict(one), model, noun) for one in error.errors(include_url=False))
    return text if text.endswith("?") else f"{text}."


def _clause(error: dict[str, Any], model: type[BaseModel], noun: str) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = _nearest(place, model)
        hint = f"did you mean `{near}`?" if near else f"there are: {', '.join(model.model_fields)}"
        return f"`{place}` is no {noun}; {hint}"
    given = error.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool | None) and place else ""
    return f"`{place}`: {error['msg']}{shown}" if place else str(error["msg"])


def _nearest(place: str, model: type[BaseModel]) -> str | None:
    """Dotted name of the option whose last part is most like that of `place`; of several, the likest.

    A neighbour on the same level that is much alike comes first: `subset` is `subsets`, not `plots.subset`.
    """
    options = sorted(set(option_names(model)))
    level, _, key = place.rpartition(".")
    neighbours = {
        option.rpartition(".")[2]: option for option in options if option.rpartition(".")[0] == level
    }
    if close := difflib.get_close_matches(key, sorted(neighbours), 1, 0.8):
        return neighbours[close[0]]
    last = [option.rpartition(".")[2] for option in options]
    near = difflib.get_close_matches(key, sorted(set(last)), 1, 0.5)
    alike = [option for option, name in zip(options, last, strict=True) if name in near]
    return max(alike, key=lambda option: difflib.SequenceMatcher(None, place, option).ratio(), default=None)


def option_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted names of all fields of a model and of those inside it; NAME is any key of a dictionary."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        kind = get_origin(field.annotation)
        inner = f"{prefix}{name}.NAME." if kind is dict else f"{prefix}{name}."
        for part in (
            get_args(field.annotation) if kind in (Union, types.UnionType, dict) else (field.annotation,)
        ):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from option_names(part, inner)
