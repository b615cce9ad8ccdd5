"""rl-zoo3: hyperparameters of agents that see through a VASE, in YAML files, and modules by which `-conf` finds them.

| `-conf`                           | agent                                                                     |
|-----------------------------------|---------------------------------------------------------------------------|
| `perma_agent.sb3.zoo.ppo`         | PPO whose VASE goes on learning beside it                                 |
| `perma_agent.sb3.zoo.ppo_encoded` | PPO on latents: a frozen VASE encodes each frame once, outside the policy |

    python -m rl_zoo3.train --algo ppo --env perma/IndoorMaze-v0 --gym-packages perma_agent.envs \
        --conf-file perma_agent.sb3.zoo.ppo
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

NAMES = ("ppo", "ppo_encoded")
"""Of the files."""


def hyperparameter_file(name: str) -> Path:
    """Where the YAML file of one of `NAMES` was installed, to be copied and changed.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in NAMES:
        raise ValueError(f"expected one of {', '.join(NAMES)}, got {name!r}")
    return Path(__file__).with_name(f"{name}.yml")


def read_hyperparameters(name: str) -> dict[str, Any]:
    """What stands in one of the files, read anew at each call: rl-zoo3 writes into it.

    Raises:
        ValueError: there is none of that name.
        ModuleNotFoundError: PyYAML is missing; it comes with the extra `zoo`.
    """
    import yaml

    hyperparameters: dict[str, Any] = yaml.safe_load(hyperparameter_file(name).read_text(encoding="utf-8"))
    return hyperparameters
