"""Agent folder: a trained policy as a bundle and as SB3's own zip, its learning curve, and the VASE it sees through.

| part                         | holds                                                                       |
|------------------------------|-----------------------------------------------------------------------------|
| the files of `sb3.bundle`    | the agent; `load_bundle` and `perma-agent transfer` read these and no pickle |
| `agent.zip`                  | the agent once more, for `PPO.load` and the tools around SB3                |
| `episodes.json`              | its training episodes, and the learning curve over them                     |
| `vase/`                      | run folder of the VASE at the end of training, where it went on learning    |
| `tensorboard/`               | events of the training                                                      |
| `checkpoints/`               | from which the training goes on where it was left, see `sb3.checkpoints`    |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.continual.manifest import MANIFEST
from perma_agent.errors import RunFolderError
from perma_agent.evaluation.atomic_write import atomic_file, write_json
from perma_agent.evaluation.report import LearningCurve
from perma_agent.sb3 import save_bundle
from perma_agent.studies.policy_training import TrainedPolicy

ZIP, EPISODES, VASE_RUN, TENSORBOARD = "agent.zip", "episodes.json", "vase", "tensorboard"
CHECKPOINTS = "checkpoints"


def claim_agent_folder(folder: Path) -> None:
    """Make a folder that an agent is to be trained into, before it is trained.

    Args:
        folder: new, empty, or left by a training that did not come to its end.

    Raises:
        RunFolderError: there is an agent or something else in it, or it cannot be made; nothing was changed.
    """
    advice = "name another with --agent"
    if folder.suffix == ".zip" or (folder.exists() and not folder.is_dir()):
        raise RunFolderError(f"expected a folder for the agent, got {folder}; {advice}, SB3's zip is written into it")
    found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if MANIFEST in found:
        raise RunFolderError(f"expected a new folder for the agent, got {folder} with an agent in it; {advice}")
    foreign = [name for name in found if name not in (ZIP, EPISODES, VASE_RUN, TENSORBOARD, CHECKPOINTS)]
    if foreign:
        raise RunFolderError(
            f"expected a new folder for the agent, got {folder} with {', '.join(foreign[:3])} in it; {advice}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"expected to make the folder {folder}, got: {error.strerror}; {advice}") from error


def save_agent(trained: TrainedPolicy, folder: Path, *, extra: Mapping[str, Any]) -> None:
    """Write agent and learning curve; each file is there whole or not at all, the bundle last.

    Args:
        trained: the policy and its training episodes.
        folder: the agent's.
        extra: JSON values for the bundle, e.g. what it was trained on.

    Raises:
        RunFolderError: the folder cannot be written.
        OSError: likewise, from the zip or the curve.
    """
    with atomic_file(folder / ZIP) as file:
        trained.agent.save(file)  # type: ignore[arg-type]  # SB3 wants a buffered file, which it is
    write_json(folder / EPISODES, learning_curve(trained))
    save_bundle(trained.agent, folder, extra=extra)


def learning_curve(trained: TrainedPolicy) -> dict[str, Any]:
    """The training episodes, and mean return and success rate over stretches of them with 95% intervals, for JSON."""
    episodes = {"ends": trained.episode_ends, "returns": trained.returns, "successes": trained.successes}
    if not len(trained.episode_ends):
        return {"episodes": episodes, "curve": []}
    curve = LearningCurve.of_episodes(*episodes.values(), rng=np.random.default_rng(trained.agent.seed))
    moments = zip(curve.steps, curve.returns, curve.successes, strict=True)
    return {
        "episodes": episodes,
        "curve": [
            {"step": step, "return": asdict(returned), "success": asdict(success)}
            for step, returned, success in moments
        ],
    }
