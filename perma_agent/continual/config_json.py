"""Configurations as JSON: frozen dataclasses to plain values and back, with a sentence for what does not fit."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from perma_agent.errors import RunFolderError

T = TypeVar("T")


def to_json(config: Any) -> dict[str, Any]:
    """The fields of a (nested) config dataclass as JSON values; tuples become lists."""
    plain: dict[str, Any] = _plain(dataclasses.asdict(config))
    return plain


def from_json(kind: type[T], plain: object, *, where: str) -> T:
    """Build the config that `to_json` wrote down.

    Args:
        kind: a dataclass whose fields are numbers, strings, bools, literals, options, tuples and dicts (by text) of
            these, Any (left as it is), or such.
        plain: JSON object with exactly the fields of `kind`.
        where: what to call it in an error, e.g. `config.json: model`.

    Raises:
        RunFolderError: a field is unknown, missing, of another type or outside its range.
    """
    if not isinstance(plain, Mapping):
        raise RunFolderError(f"expected {where} to be a JSON object, got {_short(plain)}; restore it from a copy")
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # any dataclass will do
    for problem, found in (("unknown", set(plain) - names), ("missing", names - set(plain))):
        if found:
            raise RunFolderError(
                f"expected {where} to have the fields of this version's {kind.__name__}, got {problem} "
                f"{', '.join(sorted(map(repr, found)))}; use the perma_agent version that wrote it"
            )
    hints = get_type_hints(kind)
    values = {name: _value(hints[name], plain[name], where=f"{where}.{name}") for name in names}
    try:
        return kind(**values)
    except ValueError as error:
        raise RunFolderError(f"expected {where} to be a valid {kind.__name__}, got this: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def _value(hint: Any, plain: object, *, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        return from_json(hint, plain, where=where)  # type: ignore[arg-type]  # a class, as it comes from a type hint
    if origin in (Union, types.UnionType):
        for argument in arguments:
            if _fits(argument, plain):
                return _value(argument, plain, where=where)
    elif origin is Literal and plain in arguments:
        return plain
    elif origin is tuple and isinstance(plain, list | tuple):
        hints = (arguments[0],) * len(plain) if arguments[-1] is Ellipsis else arguments
        if len(hints) == len(plain):
            return _tuple(hints, plain, where=where)
    elif origin is dict and isinstance(plain, Mapping):
        return {str(key): _value(arguments[1], entry, where=f"{where}[{key!r}]") for key, entry in plain.items()}
    elif _fits(hint, plain):
        return plain
    expected = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
    raise RunFolderError(f"expected {where} to be {expected}, got {_short(plain)}; restore it from a copy")


def _tuple(hints: Sequence[Any], plain: Sequence[Any], *, where: str) -> tuple[Any, ...]:
    pairs = enumerate(zip(hints, plain, strict=True))
    return tuple(_value(inner, entry, where=f"{where}[{index}]") for index, (inner, entry) in pairs)


def _fits(hint: Any, plain: object) -> bool:
    """Whether a JSON value may stand for a type; numbers are no bools, and whole numbers are floats too."""
    if hint is Any:
        return True
    if hint is type(None):
        return plain is None
    if hint is float:
        return isinstance(plain, int | float) and not isinstance(plain, bool)
    if hint in (int, str, bool):
        return type(plain) is hint
    if get_origin(hint) is tuple:
        return isinstance(plain, list | tuple)
    return dataclasses.is_dataclass(hint) and isinstance(plain, Mapping)


def _short(plain: object) -> str:
    text = repr(plain)
    return text if len(text) <= 60 else text[:57] + "..."
