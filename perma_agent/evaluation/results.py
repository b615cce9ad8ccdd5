"""Published results: the one shape in which every study writes its figures, and the goals they are held against."""

from __future__ import annotations

import dataclasses
import json
import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from numbers import Real
from pathlib import Path
from typing import Any

from perma_agent.errors import RunFolderError
from perma_agent.evaluation.atomic_write import write_json
from perma_agent.evaluation.machine import Machine, describe_machine, source_commit
from perma_agent.evaluation.statistics import Estimate

GOAL = re.compile(r"(<=|>=|==|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
BEYOND = " beyond the interval"
"""Ends a goal that the whole interval must reach, and not the mean alone: a difference that seeds do not explain."""
COMPARE = {"<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt}
NAME = re.compile(r"[a-z][a-z0-9_]*")


def goal_met(goal: str, value: float) -> bool:
    """Whether a figure reaches its goal.

    Args:
        goal: one of <=, >=, <, >, == and a number, e.g. `>= -2.7`.
        value: the figure, in the unit of the goal.

    Raises:
        ValueError: the goal is not written like that.
    """
    found = GOAL.fullmatch(goal.strip())
    if found is None:
        raise ValueError(f"expected a goal such as '>= 3' (one of <=, >=, <, >, == and a number), got {goal!r}")
    return bool(COMPARE[found[1]](value, float(found[2])))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of a study, with its interval over seeds and the goal it was held against."""

    id: str
    """Name of the figure, e.g. `switch_lag_batches`: small letters, digits and underscores."""
    mean: float | None
    """The figure: mean (or the statistic named in `note`) over seeds; None where it was not measured."""
    low: float | None
    """Lower end of the 95% interval over seeds; equals the mean where n is 1."""
    high: float | None
    """Upper end."""
    n: int
    """Seeds; 0 where it was not measured."""
    unit: str = ""
    """Of mean, low, high and goal; empty for a plain ratio."""
    goal: str | None = None
    """What was aimed at, e.g. `>= 3`, or `> 0 beyond the interval`; None where nothing was."""
    met: bool | None = field(init=False)
    """Whether the mean (or the whole interval, where the goal says so) reaches the goal; computed, never given. None
    without a goal; False where not measured."""
    note: str = ""
    """What a reader must know besides; where nothing was measured, why."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.id):
            raise ValueError(f"expected a row id of small letters, digits and underscores, got {self.id!r}")
        if (self.n == 0) != (self.mean is None) or self.n < 0:
            raise ValueError(
                f"expected mean None exactly where n is 0, got row {self.id!r} with {self.mean} and {self.n}"
            )
        if self.mean is None:
            self._check_absence()
        else:
            self._check_order()
        object.__setattr__(self, "met", None if self.goal is None else self._reaches(self.goal))

    @classmethod
    def of(cls, id: str, estimate: Estimate, /, *, unit: str = "", goal: str | None = None, note: str = "") -> Row:
        """The row of an estimate."""
        return cls(
            id=id,
            mean=estimate.value,
            low=estimate.low,
            high=estimate.high,
            n=estimate.n,
            unit=unit,
            goal=goal,
            note=note,
        )

    @classmethod
    def not_measured(cls, id: str, /, *, why: str, unit: str = "", goal: str | None = None) -> Row:
        """The row of a figure that there is none of, which says why instead of leaving the bar out."""
        return cls(id=id, mean=None, low=None, high=None, n=0, unit=unit, goal=goal, note=why)

    def _reaches(self, goal: str) -> bool:
        judged = (self.low, self.high) if goal.endswith(BEYOND) else (self.mean,)
        comparison = goal.removesuffix(BEYOND)
        return all(goal_met(comparison, math.nan if figure is None else figure) for figure in judged)

    def _check_absence(self) -> None:
        if (self.low, self.high) != (None, None) or not self.note:
            raise ValueError(
                f"expected neither low nor high, but a note that says why, in the unmeasured row {self.id!r}"
            )

    def _check_order(self) -> None:
        figures = (self.low, self.mean, self.high)
        if not all(_is_finite(figure) for figure in figures):
            raise ValueError(f"expected finite numbers in row {self.id!r}, got low, mean, high = {figures}")
        if self.low > self.high:  # type: ignore[operator]  # both were just seen to be numbers
            raise ValueError(f"expected low <= high in row {self.id!r}, got {self.low} and {self.high}")
        if self.n == 1 and not self.low == self.mean == self.high:
            raise ValueError(f"expected low = mean = high where n is 1 in row {self.id!r}, got {figures}")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The results of one study."""

    study: str
    """Name of the study, e.g. `demo`."""
    preset: str
    """How much was run: `smoke`, `bench`, `paper`, …"""
    command: str
    """The command that makes these results again."""
    rows: tuple[Row, ...]
    """The figures; their ids are all different."""
    commit: str = field(default_factory=source_commit)
    """Commit of the code; `unknown` outside a checkout, with `-dirty` behind it if the code differed."""
    machine: Machine = field(default_factory=describe_machine)
    """What it ran on."""
    date: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    """When it was written, ISO 8601, UTC."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        if not NAME.fullmatch(self.study) or not self.preset or not self.command:
            raise ValueError(
                f"expected a study named in small letters, a preset and a command, "
                f"got {self.study!r}, {self.preset!r} and {self.command!r}"
            )
        datetime.fromisoformat(self.date)
        ids = [row.id for row in self.rows]
        twice = sorted({id for id in ids if ids.count(id) > 1})
        if twice:
            raise ValueError(f"expected each row id once, got {', '.join(twice)} more than once")

    def __getitem__(self, id: str) -> Row:
        """The row of that id."""
        for row in self.rows:
            if row.id == id:
                return row
        raise KeyError(f"expected one of {', '.join(row.id for row in self.rows)}, got {id!r}")


def write_summary(summary: Summary, path: Path | str) -> None:
    """Write `summary.json` atomically."""
    keys = ("study", "preset", "command", "commit", "machine", "date", "rows")
    document = dataclasses.asdict(summary)
    write_json(path, {key: document[key] for key in keys})


def read_summary(path: Path | str) -> Summary:
    """Read a `summary.json` and check all that it says.

    Raises:
        RunFolderError: it is missing, no JSON, lacks a key, has a strange one, or claims a goal met that is not.
    """
    document = read_document(path, of=Summary)
    try:
        rows = tuple(_row(item) for item in document.pop("rows"))
        return Summary(rows=rows, machine=Machine(**document.pop("machine")), **document)
    except (TypeError, ValueError) as error:
        raise RunFolderError(f"{path} is no summary of results: {error}; run the study again") from error


def read_document(path: Path | str, *, of: type) -> dict[str, Any]:
    """Read a JSON object that has exactly the fields of a dataclass.

    Args:
        path: the file.
        of: the dataclass.

    Raises:
        RunFolderError: the file is missing or damaged, or its keys differ.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunFolderError(f"expected results in {path}, got no such file; run the study first") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RunFolderError(f"expected JSON in {path}, got a damaged file ({error}); run the study again") from error
    names = [part.name for part in dataclasses.fields(of)]
    _check_keys(document, names, where=str(path))
    return dict(document)


def _is_finite(figure: Any) -> bool:
    return isinstance(figure, Real) and not isinstance(figure, bool) and math.isfinite(figure)


def _row(document: Any) -> Row:
    _check_keys(document, [part.name for part in dataclasses.fields(Row)], where=f"row {document!r:.60}")
    claimed = document["met"]
    row = Row(**{key: value for key, value in document.items() if key != "met"})
    if claimed is not row.met:
        raise ValueError(f"row {row.id!r} says met = {claimed}, but {row.mean} against {row.goal!r} makes it {row.met}")
    return row


def _check_keys(document: Any, names: Sequence[str], *, where: str) -> None:
    if not isinstance(document, Mapping):
        raise RunFolderError(f"expected an object in {where}, got {type(document).__name__}; run the study again")
    missing, strange = sorted(set(names) - set(document)), sorted(set(document) - set(names))
    if missing or strange:
        raise RunFolderError(
            f"expected the keys {', '.join(names)} in {where}, got none of {missing} and strange {strange}; "
            "run the study again with this version"
        )
