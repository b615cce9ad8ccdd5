"""What a verb answers, on stdout: a table for people, JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table


def show_json(value: Any) -> None:
    """Write a value to stdout as JSON: dataclasses as objects, what is not finite as null."""
    sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows to stdout: as a table on a terminal, else one line a row, with tabs between the values.

    Args:
        columns: headings; the first column is never wrapped.
        rows: one value a column; each is shown by `str`.
    """
    lines = [[" ".join(str(value).split()) for value in row] for row in rows]
    if not sys.stdout.isatty():
        sys.stdout.writelines("\t".join(line) + "\n" for line in [columns, *lines])
        return
    table = Table(box=box.SIMPLE_HEAD)
    for position, column in enumerate(columns):
        table.add_column(column, no_wrap=position == 0, overflow="fold")
    for line in lines:
        table.add_row(*line)
    Console(highlight=False, markup=False).print(table)


def plain(value: Any) -> Any:
    """The same value in JSON's own types.

    >>> plain({"loss": float("nan"), "steps": np.int64(3), "at": PurePath("runs/a")})
    {'loss': None, 'steps': 3, 'at': 'runs/a'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
