"""What verbs answer: JSON that any program reads, tables that grep reads."""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from perma_agent.cli.output import show_json, show_table


@dataclass(frozen=True)
class Row:
    """A dataclass for tests."""

    name: str
    scores: tuple[float, ...]


def test_json_knows_dataclasses_numpy_paths_and_what_is_not_finite(capsys: pytest.CaptureFixture[str]) -> None:
    show_json(
        {
            "row": Row("α", (1.5, math.nan)),
            "array": np.arange(3),
            "scalar": np.float32(np.inf),
            "path": Path("runs/a"),
            "set": {"b", "a"},
            3: None,
        }
    )
    assert json.loads(capsys.readouterr().out) == {
        "row": {"name": "α", "scores": [1.5, None]},
        "array": [0, 1, 2],
        "scalar": None,
        "path": "runs/a",
        "set": ["a", "b"],
        "3": None,
    }


def test_json_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        show_json(object())


def test_a_pipe_gets_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(["level", "about"], [("maze", "two\n lines"), ("forage", "x" * 500)])
    assert capsys.readouterr().out == f"level\tabout\nmaze\ttwo lines\nforage\t{'x' * 500}\n"


def test_a_terminal_gets_a_table_that_loses_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show_table(["level", "about"], [("a-level-whose-name-is-whole", "[bold]one[/bold] two three four")])
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "a-level-whose-name-is-whole" in shown
    words = shown.replace("a-level-whose-name-is-whole", "").split("─")[-1].split()
    assert "".join(words) == "[bold]one[/bold]twothreefour"
