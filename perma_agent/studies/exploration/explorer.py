"""Explorer: SB3's PPO with one small MLP on the latents of a level, paid by one bonus, every step of it noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.vec_env import VecEnv

from perma_agent.imagination.bonus import Bonus
from perma_agent.imagination.make_bonus import make_bonus
from perma_agent.imagination.reward import ImaginationBonus
from perma_agent.sb3 import EncodedObservation
from perma_agent.studies.exploration.arms import Arm
from perma_agent.studies.exploration.goal_notes import GoalNotes
from perma_agent.studies.exploration.grounds import Surveyed, make_explored
from perma_agent.studies.exploration.visit_recorder import VisitRecorder
from perma_agent.studies.ppo_config import PPOConfig
from perma_agent.wrappers import BonusReward

Advance = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class ExplorerConfig(PPOConfig):
    """PPO, the same for all arms; the bonus learns as often as the policy does."""

    steps: int = 40_000
    """Steps of the agent, over all copies."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1:
            raise ValueError(f"expected steps of at least 1, got {self.steps}")


@dataclass(frozen=True, kw_only=True)
class Paid:
    """What the agent is paid for."""

    arm: Arm
    """Which bonus."""
    weight: float
    """Of the bonus."""
    extrinsic: float
    """Of the level's own reward: 0 where the agent explores reward-free."""


class Explorer:
    """An agent in one level: the chain of wrappers and PPO.

    The chain, from the inside: levels, `VisitRecorder`, `EncodedObservation` (each frame is encoded once), and
    `BonusReward`, so that the bonus sees the same latents as the policy.

    Args:
        surveyed: the level and its episode.
        run: run folder of the VASE, which stays as it is.
        paid: the bonus.
        config: of PPO.
        seed: of PPO and the bonus.
    """

    def __init__(self, surveyed: Surveyed, run: Path, *, paid: Paid, config: ExplorerConfig, seed: int) -> None:
        self.config, self.paid = config, paid
        bonus = made_bonus(paid.arm, seed, run=run)
        self.recorder, self.rewarded = self._enter(surveyed, run, bonus=bonus)
        self.agent = make_ppo(self.rewarded, config, seed=seed, shows_goal=paid.arm.shows_goal)

    def explore(self, advance: Advance) -> dict[str, float | None]:
        """Take all steps; returns what became of the goals pursued, see `GoalNotes`."""
        notes = GoalNotes(self.rewarded)
        self.agent.learn(self.config.steps, callback=CallbackList([Progress(advance), notes]))
        return notes.figures()

    def move_to(self, surveyed: Surveyed, run: Path, *, seed: int) -> None:
        """Drop the agent into another level: policy, optimiser and all that the bonus has learnt go with it.

        The recorder is that of the new level then.

        Args:
            surveyed: the new level.
            run: run folder of the same VASE in the new level.
            seed: of the bonus, as before.
        """
        learnt = self.rewarded.learnt_state()
        self.close()
        bonus = made_bonus(self.paid.arm, seed, run=run)
        self.recorder, self.rewarded = self._enter(surveyed, run, bonus=bonus, learnt=learnt)
        self.agent.set_env(self.rewarded)

    def _enter(
        self, surveyed: Surveyed, run: Path, *, bonus: Bonus, learnt: Mapping[str, Any] | None = None
    ) -> tuple[VisitRecorder, BonusReward]:
        recorder = VisitRecorder(make_explored(surveyed, copies=self.config.copies))
        rewarded = pay(EncodedObservation(recorder, run), self.paid, self.config, bonus=bonus)
        if learnt is not None:
            here = bonus.imaginer.environment if isinstance(bonus, ImaginationBonus) else None
            rewarded.restore_learnt(learnt)
            if isinstance(bonus, ImaginationBonus) and here is not None:
                bonus.imaginer.environment = here  # codes do not tell it that it has been moved, as frames would
        return recorder, rewarded

    def close(self) -> None:
        """Close the levels."""
        self.rewarded.close()


def made_bonus(arm: Arm, seed: int, *, run: Path | None = None, sees_frames: bool = False) -> Bonus:
    """A bonus of that arm.

    Args:
        arm: which.
        seed: of all it draws.
        run: of the VASE; None for a bonus that shall do without.
        sees_frames: whether it is shown frames and must read codes from them by itself.
    """
    options: dict[str, Any] = dict(arm.options)
    if arm.seeded:
        options["seed"] = seed
    if run is not None and (arm.draws or (arm.reads and sees_frames)):
        options["run"] = run
    return make_bonus(arm.bonus, **options)


def pay(venv: VecEnv, paid: Paid, config: ExplorerConfig, *, bonus: Bonus) -> BonusReward:
    """Levels whose rewards are the level's own and the bonus, as `paid` weighs them."""
    return BonusReward(
        venv,
        bonus,
        weight=paid.weight,
        extrinsic=paid.extrinsic,
        learn_every=config.steps_per_rollout,
        show_goal=paid.arm.shows_goal,
    )


def make_ppo(venv: VecEnv, config: ExplorerConfig, *, seed: int, shows_goal: bool, **policy: Any) -> PPO:
    """PPO on vectors; on Dicts of them where the policy sees a goal."""
    return PPO(
        "MultiInputPolicy" if shows_goal else "CnnPolicy" if "features_extractor_class" in policy else "MlpPolicy",
        venv,
        seed=seed,
        policy_kwargs={"net_arch": list(config.layers), **policy},
        device="cpu",
        **config.arguments(),
    )


class Progress(BaseCallback):
    """Tells a progress bar of steps."""

    def __init__(self, advance: Advance) -> None:
        super().__init__()
        self._advance = advance

    def _on_step(self) -> bool:
        self._advance(float(self.training_env.num_envs))
        return True
