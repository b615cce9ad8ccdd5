"""Goal notes: how many imagined goals came about, so that one sees whether the agent learns to bring them about."""

from __future__ import annotations

from stable_baselines3.common.callbacks import BaseCallback

from perma_agent.wrappers import BonusReward

QUARTER = 0.25
"""Of the rollouts: the first ones and the last ones are compared."""


class GoalNotes(BaseCallback):
    """Notes after each rollout what the bonus said of the goals that ended; nothing where it pursues none.

    Args:
        rewarded: whose bonus learns once a rollout.
    """

    def __init__(self, rewarded: BonusReward) -> None:
        super().__init__()
        self._rewarded = rewarded
        self._notes: list[tuple[float, float]] = []

    def figures(self) -> dict[str, float | None]:
        """Goals that ended, and the share of them that was reached in the first and in the last quarter of the run.

        Returns:
            `goals_ended`, `goals_reached_first`, `goals_reached_last`, each share None where no goal ended; nothing
            for a bonus without such goals.
        """
        if not self._notes:
            return {}
        quarter = max(1, round(QUARTER * len(self._notes)))
        return {
            "goals_ended": sum(ended for ended, _ in self._notes),
            "goals_reached_first": _share(self._notes[:quarter]),
            "goals_reached_last": _share(self._notes[-quarter:]),
        }

    def _on_rollout_end(self) -> None:
        said = self._rewarded.take_figures()
        if "goals_ended" in said:
            ended = said["goals_ended"]
            self._notes.append((ended, ended * said.get("reached", 0.0)))

    def _on_step(self) -> bool:
        return True


def _share(notes: list[tuple[float, float]]) -> float | None:
    ended, reached = (sum(column) for column in zip(*notes, strict=True))
    return reached / ended if ended else None
