"""Progress bars count what they are told and stay off stdout."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from perma_agent.cli.progress import progress_bar


def test_the_bar_shows_label_count_and_last_note() -> None:
    drawn = io.StringIO()
    console = Console(file=drawn, width=120)
    with progress_bar("recording", total=5, console=console) as advance:
        advance()
        advance(3, note="loss 2.5")
        advance()
    last = drawn.getvalue().strip().splitlines()[-1]
    assert last.startswith("recording")
    assert "5/5" in last
    assert last.endswith("loss 2.5")


def test_an_error_inside_passes_through_and_leaves_the_count() -> None:
    drawn = io.StringIO()
    with (
        pytest.raises(RuntimeError, match="stop"),
        progress_bar("recording", total=5, console=Console(file=drawn, width=120)) as advance,
    ):
        advance(2)
        raise RuntimeError("stop")
    assert "2/5" in drawn.getvalue()


def test_the_bar_is_drawn_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("recording", total=None) as advance:
        advance()
    said = capsys.readouterr()
    assert said.out == ""
    assert "recording" in said.err
