"""Reads a verb's arguments into its config dataclass, by tyro, and turns wrong ones into one sentence."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from typing import TypeVar

import tyro

from perma_agent.errors import PermaAgentError

Config = TypeVar("Config")

FRAME = "╭╮╰╯│ "
RULE = re.compile(r"^(?:─+|-{3,})$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def parse(config: type[Config], arguments: Sequence[str], *, program: str) -> Config | None:
    """Fill a config dataclass from the command line; each field is an option, its docstring the help.

    Args:
        config: the dataclass.
        arguments: what follows the verb.
        program: how the command begins, for the help text.

    Returns:
        The config, or None where the user asked for help and got it on stdout.

    Raises:
        PermaAgentError: the arguments are wrong; the message is one sentence.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(config, prog=program, args=arguments, config=(tyro.conf.FlagCreatePairsOff,))
    except SystemExit as stop:
        if not stop.code:
            return None
        raise PermaAgentError(f"{sentence(said.getvalue())}; see {program} --help") from None
    except ValueError as error:  # the dataclass' own checks; some versions of tyro let them through
        raise PermaAgentError(f"{error}; see {program} --help") from error


def sentence(box: str) -> str:
    """What tyro says in a framed box, as one sentence: its first paragraph and the options it thinks were meant.

    The box has a title, then paragraphs with a rule between them; frame and colours depend on the terminal.
    """
    rows = [COLOUR.sub("", row).strip(FRAME) for row in box.splitlines()]
    if not any(RULE.fullmatch(row) for row in rows):
        return " ".join(box.split())
    paragraphs = RULE.sub("\0", "\n".join(rows[1:])).split("\0")
    first, *others = [paragraph.split() for paragraph in paragraphs if paragraph.strip()]
    text = " ".join(first).rstrip(".").removeprefix("Error parsing Config: ")
    similar = [word for paragraph in others for word in paragraph if word.startswith("--") and word != "--help"]
    if text.startswith("Unrecognized") and similar:
        text += f", perhaps you meant {' or '.join(dict.fromkeys(similar))}"
    return text[:1].lower() + text[1:]
