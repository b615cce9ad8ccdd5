"""Results on stdout: a table for people, JSON for programs."""

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

WIDTH_OF_A_FILE = 240
"""Columns of a table that is not written to a terminal: wide enough that nothing is cut."""


def write_json(value: Any) -> None:
    """Write a value to stdout as JSON: dataclasses as objects, what is not finite as null."""
    sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """Write rows to stdout as a table; the last column takes what width is left.

    Args:
        columns: headings.
        rows: one value a column; each is shown by `str`.
        title: a line above the table.
    """
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row))
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE, highlight=False, markup=False)
    console.print(table)


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
