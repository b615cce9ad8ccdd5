"""PPO whose VASE goes on learning, for rl-zoo3's `--conf-file perma_agent.sb3.zoo.ppo`."""

from __future__ import annotations

from typing import Any

from perma_agent.sb3.zoo import read_hyperparameters


def __getattr__(name: str) -> Any:
    """`hyperparams`, which rl-zoo3 asks for, read when it does: PyYAML is no dependency of ours."""
    if name == "hyperparams":
        return read_hyperparameters("ppo")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
