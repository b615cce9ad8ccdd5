"""From scratch: the VASE knows nothing at first and learns beside the agent, from what the exploring agent sees."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from stable_baselines3.common.callbacks import CallbackList

from perma_agent.continual import Learner, LearnerConfig
from perma_agent.continual.checkpoint import save_run
from perma_agent.models import VASE, VASEConfig
from perma_agent.sb3 import ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.studies.exploration.explorer import Advance, Progress, made_bonus, make_ppo, pay
from perma_agent.studies.exploration.goal_notes import GoalNotes
from perma_agent.studies.exploration.grounds import LEVELS, make_explored, survey
from perma_agent.studies.exploration.measuring import measure_run
from perma_agent.studies.exploration.runs import Run
from perma_agent.studies.exploration.visit_recorder import VisitRecorder
from perma_agent.studies.planned_cell import Measured
from perma_agent.studies.short_learner import short_learner


@dataclass(frozen=True, kw_only=True)
class ScratchConfig:
    """How the VASE learns."""

    model: VASEConfig
    """The VASE."""
    learner: LearnerConfig = field(default_factory=lambda: short_learner(warm_up=200, rise=300, settle=100))
    """Its learner, in a hurry: a run of 49,152 steps has some 770 updates."""
    continual: ContinualConfig = field(default_factory=lambda: ContinualConfig(updates_per_rollout=16, every=1_024))
    """How much it learns, and from what."""


def explore_from_scratch(run: Run, scratch: ScratchConfig, advance: Advance) -> Measured:
    """Explore a level, seen through a VASE that learns on the way.

    The chain, from the inside: levels, `VisitRecorder`, and `BonusReward` over the frames themselves; the policy
    encodes. A bonus over latents reads them from the frames by the VASE as it was published last.

    Args:
        run: what to do.
        scratch: how the VASE learns.
        advance: told of steps.

    Raises:
        LevelError: the level cannot be made.
    """
    surveyed = survey(LEVELS[run.level], run.seed)
    with tempfile.TemporaryDirectory(prefix="perma_agent_scratch_") as folder:
        vase = Path(folder) / "run"
        save_run(_fresh(scratch, seed=run.seed), vase)
        recorder = VisitRecorder(make_explored(surveyed, copies=run.explorer.copies))
        bonus = made_bonus(run.paid.arm, run.seed, run=vase, sees_frames=True)
        venv = pay(recorder, run.paid, run.explorer, bonus=bonus)
        try:
            policy = VASEFeaturesExtractor.policy_kwargs(vase, frame_key=frame_key(run))
            agent = make_ppo(venv, run.explorer, seed=run.seed, shows_goal=run.paid.arm.shows_goal, **policy)
            learning = ContinualVASECallback(config=replace(scratch.continual, seed=run.seed))
            notes = GoalNotes(venv)
            agent.learn(run.explorer.steps, callback=CallbackList([Progress(advance), notes, learning]))
            return measure_run(surveyed, recorder.log(), notes.figures())
        finally:
            venv.close()


def frame_key(run: Run) -> str | None:
    """Entry of the policy's observations that is the frame; None where they are the frame."""
    return "observation" if run.paid.arm.shows_goal else None


def _fresh(scratch: ScratchConfig, *, seed: int) -> Learner:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VASE(scratch.model)
    return Learner(model, replace(scratch.learner, seed=seed))
