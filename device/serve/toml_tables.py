"""Frozen dataclasses from TOML tables: all mistakes told at once, each with its place and the nearest right name."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from edge_tl.errors import ConfigError

T = TypeVar("T")
MAX_NUMBER = 999
LARGEST = 10**300
"""A whole number as large as this is no number of anything."""
NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


def limits(
    default: Any,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    one_of: tuple[str, ...] = (),
    number: bool = False,
) -> Any:
    """A field with a default whose value must lie in a range, both ends included, or be one of some texts.

    number: of a text, whether a whole number from 0 to MAX_NUMBER may stand for its digits.
    """
    return dataclasses.field(
        default=default, metadata={"least": least, "most": most, "one_of": one_of, "number": number}
    )


def read_table(kind: type[T], table: dict[str, Any], place: str, mistakes: list[str]) -> T | None:
    """A dataclass from a TOML table; None, and a line for each mistake in `mistakes`, where that cannot be.

    Fields may be str, int, float, bool, Path, tuples of these, other dataclasses, tuples of those (arrays of tables)
    and dicts of those (tables of tables), each of them also `| None`. place: where the table stands, for the lines.
    """
    types_of = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    before = len(mistakes)
    for name in table:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(fields)}"
            mistakes.append(f"{_at(place, name)}: there is no such setting; {hint}")
    values = {}
    for name, field in fields.items():
        if name in table:
            values[name] = _value(types_of[name], _digits(field, table[name]), _at(place, name), mistakes)
            _check_limits(field, values[name], _at(place, name), mistakes)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            mistakes.append(f"{_at(place, name)}: missing; {_name(types_of[name])} is wanted")
    if len(mistakes) > before:
        return None
    try:
        return kind(**values)
    except ConfigError as error:
        mistakes.append(f"{place or 'the file'}: {error}")
        return None


def _value(wanted: Any, value: Any, place: str, mistakes: list[str]) -> Any:
    """A value of the type wanted; a line in `mistakes` where it is another."""
    wanted = _without_none(wanted)
    origin, inside = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple and isinstance(value, list):
        each = inside[0]
        return tuple(_value(each, one, f"{place}[{number}]", mistakes) for number, one in enumerate(value, 1))
    if origin is dict and isinstance(value, dict):
        return {name: _value(inside[1], one, _at(place, name), mistakes) for name, one in value.items()}
    if dataclasses.is_dataclass(wanted) and isinstance(value, dict):
        return read_table(wanted, value, place, mistakes)  # type: ignore[arg-type]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST:
        return float(value)
    if wanted is Path and isinstance(value, str) and value and "\0" not in value:
        return Path(value)
    if wanted is float and isinstance(value, float) and not math.isfinite(value):
        mistakes.append(f"{place}: got {value}; a number is wanted")
        return None
    if isinstance(wanted, type) and type(value) is wanted:
        return value
    mistakes.append(f"{place}: got {_shown(value)}; {_name(wanted)} is wanted")
    return None


def _digits(field: dataclasses.Field[Any], value: Any) -> Any:
    """A number as the text that it stands for, where one may; all else as it is."""
    if field.metadata.get("number") and type(value) is int and 0 <= value <= MAX_NUMBER:
        return str(value)
    return value


def _check_limits(field: dataclasses.Field[Any], value: Any, place: str, mistakes: list[str]) -> None:
    """A line in `mistakes` where a value is outside what `limits` said."""
    allowed = field.metadata
    if value is None or not allowed:
        return
    if allowed["one_of"]:
        if value not in allowed["one_of"]:
            mistakes.append(f"{place}: got {_shown(value)}; one of {', '.join(allowed['one_of'])} is wanted")
    elif isinstance(value, (int, float)) and not allowed["least"] <= value <= allowed["most"]:
        got = f"{value:g}" if abs(value) < LARGEST else _shown(value)
        mistakes.append(f"{place}: got {got}; {allowed['least']:g} to {allowed['most']:g} is wanted")


def _without_none(wanted: Any) -> Any:
    """X of `X | None`."""
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(wanted) if one is not type(None))
    return wanted


def _name(wanted: Any) -> str:
    wanted = _without_none(wanted)
    if typing.get_origin(wanted) is tuple:
        return f"a list, each {_name(typing.get_args(wanted)[0])}"
    return NAMES.get(wanted, "a table")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
