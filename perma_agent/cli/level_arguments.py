"""Reads `--arguments`, what levels are made with, from the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from perma_agent.errors import LevelError

EXAMPLE = """'{"rows": 2, "columns": 2}'"""


def level_arguments(text: str) -> Mapping[str, Any]:
    """The arguments in a JSON object.

    >>> level_arguments('{"rows": 1}')
    {'rows': 1}

    Raises:
        LevelError: the text is none.
    """
    try:
        arguments = json.loads(text)
    except json.JSONDecodeError as error:
        raise LevelError(f"expected --arguments as a JSON object such as {EXAMPLE}, got {text!r} ({error})") from error
    if not isinstance(arguments, dict):
        raise LevelError(f"expected --arguments as a JSON object such as {EXAMPLE}, got {text!r}")
    return arguments
