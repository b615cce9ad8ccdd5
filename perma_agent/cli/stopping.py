"""What a verb says when Ctrl-C or SIGTERM stopped it; `continual.stop_requests` holds them back."""

from __future__ import annotations

import sys

from perma_agent.continual.stop_requests import SIGNALS, stop_requests

__all__ = ["SIGNALS", "say_stopped", "stop_requests"]


def say_stopped(what: str) -> None:
    """Tell on stderr that a verb was stopped and what it leaves behind."""
    sys.stderr.write(f"perma-agent: stopped as asked; {what}\n")
