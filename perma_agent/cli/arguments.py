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

FRAME_OF_A_BOX = "╭╮╰╯│─ "
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


def sentence(box: str) -> str:
    """What tyro says in a coloured and framed box, as one sentence: its first paragraph and the options it proposes."""
    text = COLOUR.sub("", box)
    if not text.startswith("╭"):
        return " ".join(text.split())
    rows = [*(row.strip(FRAME_OF_A_BOX) for row in text.splitlines()[1:]), ""]
    first = " ".join(rows[: rows.index("")]).rstrip(".").removeprefix("Error parsing Config: ")
    similar = [row.split()[0] for row in rows[rows.index("") :] if row.startswith("--")]
    if first.startswith("Unrecognized") and similar:
        first += f", perhaps you meant {' or '.join(dict.fromkeys(similar))}"
    return first[:1].lower() + first[1:]
