"""Whether each engine works on this machine, and what to do where it does not."""

from __future__ import annotations

from dataclasses import dataclass

from perma_agent.envs.catalogue import WHAT_TO_INSTALL, make_level
from perma_agent.envs.suite.levels import SUITE
from perma_agent.errors import LevelError


@dataclass(frozen=True, kw_only=True)
class EngineStatus:
    """What was found of one engine."""

    name: str
    """Of the engine, as in `LevelInfo.engine`."""
    ok: bool
    """Whether a level of it could be made and drew a picture."""
    found: str
    """What draws, or what went wrong."""
    advice: str = ""
    """What to do; empty where nothing must be done."""


def engine_status() -> tuple[EngineStatus, ...]:
    """Make one small level of every engine and look at its first frame; takes about a second."""
    try:
        level = make_level(SUITE[0].id, size=16)
        frame, _ = level.reset(seed=0)
        level.close()
    except LevelError as error:
        return (EngineStatus(name="miniworld", ok=False, found=str(error), advice=WHAT_TO_INSTALL),)
    from perma_agent.envs.miniworld.engine import renderer  # there is one, now that a level was drawn

    if frame.std() < 1.0:
        found = f"a frame of one colour from {renderer()}"
        return (EngineStatus(name="miniworld", ok=False, found=found, advice=WHAT_TO_INSTALL),)
    return (EngineStatus(name="miniworld", ok=True, found=renderer()),)
