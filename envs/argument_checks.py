"""Checks of the arguments that a level is made with: one sentence says what is wrong with which."""

from __future__ import annotations

import numbers

from perma_agent.errors import LevelError


def check_range(name: str, value: object, *, low: float, high: float, whole: bool = False) -> None:
    """Refuse an argument that is no number of its range.

    Raises:
        LevelError: naming the argument, the value and the range.
    """
    kind = "a whole number" if whole else "a number"
    good = isinstance(value, numbers.Integral if whole else numbers.Real) and not isinstance(value, bool)
    if not good or not low <= value <= high:  # type: ignore[operator]  # a number here
        raise LevelError(f"expected {name} to be {kind} from {low} to {high}, got {value!r}")


def check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    """Refuse an argument that is none of the valid ones.

    Raises:
        LevelError: naming the argument, the value and the valid ones.
    """
    if value not in choices:
        raise LevelError(f"expected {name} to be one of {', '.join(map(str, choices))}, got {value!r}")
