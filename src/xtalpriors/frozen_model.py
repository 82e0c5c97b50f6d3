"""The frozen pydantic model that every configuration and stored record is, and its errors as sentences."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["Frozen", "explain", "option_names", "plain"]


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
    said = plain(error["msg"])
    if place and error["type"] == "value_error":
        return f"`{place}`: {said}{shown}"
    return f"`{place}` {said}{shown}" if place else said


_WORDS = (
    (r"^Value error, ", ""),
    (r"^Field required$", "is missing"),
    (r"^Input should be (greater|less) than ", r"must be \1 than "),
    (r"^Input should be a valid (integer|number|boolean|string), unable .*", r"must be a valid \1"),
    (r"^Input should be a valid integer, got a number with a fractional part", "must be a whole number"),
    (r"^Input should be a valid (tuple|list)", "must be a list, as in [1, 2]"),
    (r"^Input should be a valid (dictionary|dict).*", "must be a table of options"),
    (r"^Input should be ", "must be "),
    (r"valid integer", "whole number"),
    (r"valid number", "number"),
    (r"a valid boolean", "true or false"),
    (r"a valid string", "text"),
    (r"greater than or equal to (\S+)", r"at least \1"),
    (r"less than or equal to (\S+)", r"at most \1"),
)
"""What the library that checks values says, and how it is said here."""


def plain(message: str) -> str:
    """A message of the library that checks values, in plain words, to follow the name of what is wrong.

    >>> plain("Input should be greater than or equal to 1")
    'must be at least 1'
    """
    for pattern, words in _WORDS:
        message = re.sub(pattern, words, message)
    return message


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
