"""Imagination reward: pay an agent for bringing about what its VASE imagines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from stable_baselines3.common.vec_env import VecEnv

from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.reward import ImaginationBonus
from perma_agent.wrappers.bonus_reward import BonusReward


class ImaginationReward(BonusReward):
    """`BonusReward` with an `ImaginationBonus`: what is added to the level's reward is progress toward a goal z*.

    Round `EncodedObservation` of the same run folder it costs next to nothing, since the codes are there already; round
    levels that show frames each frame is encoded here too, but the VASE may go on learning:
    `ContinualVASECallback` renews it, and masked latents are seen.

    Example:
        >>> from perma_agent.wrappers import ImaginationReward
        >>> venv = ImaginationReward(EncodedObservation(venv, "runs/vase"), "runs/vase")  # doctest: +SKIP
        >>> agent = PPO("MultiInputPolicy", venv)  # doctest: +SKIP

    Args:
        venv: levels side by side, which show frames or codes.
        run: run folder of the VASE; None where `config` names it, or codes of none are shown.
        config: what is imagined and pursued, and what is paid for it.
        show_goal: whether the policy sees what it lacks of z*, in a Dict; without, it must guess what it is paid for.
        **options: how much is paid and when the bonus learns: `config` of `BonusReward` is its `paid`, beside the
            fields of `BonusRewardConfig`, such as `weight`.

    Raises:
        RunFolderError: the run folder is missing, damaged or of another version.
        FrameError: the observations are neither frames for that VASE nor its codes.
        ValueError: an option is unknown or out of range.
    """

    bonus: ImaginationBonus

    def __init__(
        self,
        venv: VecEnv,
        run: str | Path | None = None,
        *,
        config: ImaginationConfig | None = None,
        show_goal: bool = True,
        **options: Any,
    ) -> None:
        config = config or ImaginationConfig()
        bonus = ImaginationBonus(config if run is None else replace(config, run=run))
        super().__init__(venv, bonus, config=options.pop("paid", None), show_goal=show_goal, **options)

    def realisable(self) -> list[dict[str, Any]]:
        """Which kinds of configurations, and which latents, could be brought about in which environment so far.

        Returns:
            A row for each, see `imagination.realisation.Realisation.table`.
        """
        return self.bonus.realisation.table()
