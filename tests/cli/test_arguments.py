"""Wrong arguments become one sentence that says what was meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import tyro

from perma_agent.cli.arguments import parse, sentence
from perma_agent.errors import LevelError, PermaAgentError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A config for tests."""

    level: tyro.conf.Positional[str] = "maze"
    """Which level."""
    steps: int = 3
    """How many steps."""
    device: Literal["auto", "cpu"] = "auto"
    """Where to compute."""
    json: bool = False
    """Write JSON."""
    folder: Path | None = None
    """Where to write."""

    def __post_init__(self) -> None:
        if self.level == "moon":
            raise LevelError("expected a level on Earth, got 'moon'; try maze")


def test_arguments_fill_the_config() -> None:
    arguments = ["forage", "--steps", "7", "--device", "cpu", "--json", "--folder", "runs/a"]
    expected = Config(level="forage", steps=7, device="cpu", json=True, folder=Path("runs/a"))
    assert parse(Config, arguments, program="perma-agent x") == expected
    assert parse(Config, [], program="perma-agent x") == Config()


def test_help_shows_each_field_with_its_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(Config, ["--help"], program="perma-agent x") is None
    shown = capsys.readouterr().out
    assert "usage: perma-agent x" in shown
    assert "--steps" in shown and "How many steps." in shown
    assert "--no-json" not in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "many"], r"error parsing --steps: invalid literal for int\(\) with base 10: 'many'"),
        (["--steps"], "missing value for argument .*--steps.*. Expected 1 values"),
        (["--device", "abacus"], r"invalid choice 'abacus' for argument '--device'. Expected one of \('auto', 'cpu'\)"),
        (["--stepz", "3"], "unrecognized options: --stepz, 3, perhaps you meant --steps"),
        (["maze", "forage"], "unrecognized options: forage"),
    ],
)
@pytest.mark.parametrize("environment", [{}, {"COLUMNS": "44"}])
def test_wrong_arguments_are_one_sentence(
    arguments: list[str],
    message: str,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PermaAgentError, match=rf"^{message}; see perma-agent x --help$") as caught:
        parse(Config, arguments, program="perma-agent x")
    assert not set("╭│─╰\x1b\n") & set(str(caught.value))
    assert capsys.readouterr().err == ""


def test_an_error_of_ours_passes_through() -> None:
    with pytest.raises(LevelError, match="on Earth, got 'moon'; try maze"):
        parse(Config, ["moon"], program="perma-agent x")


def test_a_text_without_a_box_is_kept() -> None:
    assert sentence("something\n  went wrong\n") == "something went wrong"


BOXES = {
    "terminal": (
        "\x1b[31m╭─ \x1b[0m\x1b[31;1mUnrecognized options\x1b[0m \x1b[31m──╮\x1b[0m\n"
        "\x1b[31m│\x1b[0m Unrecognized options: \x1b[1m--stepz\x1b[0m  \x1b[31m│\x1b[0m\n"
        "\x1b[31m│\x1b[0m ───────────────────── \x1b[31m│\x1b[0m\n"
        "\x1b[31m│\x1b[0m Perhaps you meant:    \x1b[31m│\x1b[0m\n"
        "\x1b[31m│\x1b[0m     --steps INT       \x1b[31m│\x1b[0m\n"
        "\x1b[31m│\x1b[0m ───────────────────── \x1b[31m│\x1b[0m\n"
        "\x1b[31m│\x1b[0m For full helptext, run x --help \x1b[31m│\x1b[0m\n"
        "\x1b[31m╰───────────────────────╯\x1b[0m\n"
    ),
    "ascii": (
        " Unrecognized options                          \n"
        " --------------------------------------------- \n"
        "  Unrecognized options: --stepz                \n"
        "  ---------------------------------------------\n"
        "  Perhaps you meant:                           \n"
        "      --steps INT                              \n"
        "  ---------------------------------------------\n"
        "  For full helptext, run perma-agent x --help  \n"
        "                                               \n"
    ),
}


@pytest.mark.parametrize("terminal", BOXES)
def test_boxes_of_all_terminals_are_understood(terminal: str) -> None:
    assert sentence(BOXES[terminal]) == "unrecognized options: --stepz, perhaps you meant --steps"


def test_a_box_of_one_paragraph_is_read_to_its_end() -> None:
    assert sentence("╭─ Oh ─╮\n│ It went │\n│ wrong. │\n╰──────╯\n") == "it went wrong"
