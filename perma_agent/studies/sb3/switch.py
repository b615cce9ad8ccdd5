"""One agent that learns through a change of look: its returns, and what publications did to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.evaluation.policies import RandomPolicy, evaluate_on_level
from perma_agent.sb3 import ContinualVASECallback
from perma_agent.sb3.learning.round_record import RoundRecord
from perma_agent.studies.collecting import Wanderer
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.studies.policy_training import EpisodeLog, make_agent
from perma_agent.studies.sb3.config import SwitchConfig
from perma_agent.studies.sb3.publication_watch import PublicationWatch, RolloutStart
from perma_agent.studies.sb3.switched_levels import SwitchedLevels

MODES = ("continual", "frozen")
"""Arms: the VASE goes on learning, or stays as it was pretrained."""
WHEN = ("before", "at", "after")
"""Windows: the last rollouts before the switch, the first after it, and the last of all."""
PROBE_SEED = 50_000
"""Added to a cell's seed for its probes, whose episodes the agent does not meet."""
APART = 4
"""Steps between two probes of one copy."""


def measure_switch(config: SwitchConfig, mode: str, run: Path, seed: int, advance: Advance) -> Measured:
    """Train through the switch.

    Args:
        config: how long, and on what.
        mode: one of `MODES`.
        run: run folder of the VASE; only read.
        seed: of policy, levels, choice of pairs, probes.
        advance: told of rollouts done.

    Returns:
        Figures: by window `return/<when>`, `episodes/<when>` and, over the publications in it, `moved/<when>` and
        `policy_kl/<when>` on frames of the look the agent then sees, and `information/<when>` on these and
        `update_kl/<when>`, over its rollouts; `publications`,
        `elsewhere`, and of a VASE that learns `environments` and `noticed`. Series: episodes, beginnings of rollouts,
        and rounds of the VASE.
    """
    policy = config.policy_of(mode, seed=seed)
    looks = (config.before, config.after)
    probes = [probe_frames(look, count=config.probes, seed=seed + PROBE_SEED) for look in looks]
    worlds = [make_copies([look], copies=policy.copies) for look in looks]
    venv: Any = SwitchedLevels(*worlds, at=config.rollouts * policy.steps_per_rollout)
    try:
        agent = make_agent(venv, run, config=policy)
        log = EpisodeLog(lambda steps: advance(steps / config.rollout))
        learning = [ContinualVASECallback(config=policy.continual)] if mode == "continual" else []
        watch = PublicationWatch([log, *learning], probes=probes)
        agent.learn(policy.timesteps, callback=watch)
    finally:
        venv.close()
    rounds = learning[0].history if learning else []
    return measured_of(config, log, watch.starts, rounds)


def measured_of(
    config: SwitchConfig, log: EpisodeLog, starts: Sequence[RolloutStart], rounds: Sequence[RoundRecord]
) -> Measured:
    """What was found, by window and over time; see `measure_switch`."""
    figures: dict[str, float | None] = {
        "publications": float(sum(start.published for start in starts)),
        "elsewhere": float(sum(start.elsewhere for start in starts)),
    }
    ends, returns = np.array(log.ends), np.array(log.returns)
    for when, (low, high) in windows(config).items():
        chosen = returns[(ends > low) & (ends <= high)]
        figures |= {f"return/{when}": _mean(chosen), f"episodes/{when}": float(len(chosen))}
        look = 0 if when == "before" else 1
        inside = [start for start in starts if low <= start.timesteps < high]
        published = [start for start in inside if start.published]
        figures |= {
            f"moved/{when}": _mean([start.moved[look] for start in published]),
            f"policy_kl/{when}": _mean([start.policy_kl[look] for start in published]),
            f"information/{when}": _mean([start.information[look] for start in inside]),
            f"update_kl/{when}": _mean([start.update_kl for start in inside]),
        }
    if rounds:
        figures |= {"environments": float(rounds[-1].environments), "noticed": noticed(config, rounds)}
    return Measured(figures=figures, series=_series(log, starts, rounds))


def windows(config: SwitchConfig) -> dict[str, tuple[int, int]]:
    """First and last timestep of each window: (first, last]."""
    length, switch = config.window * config.rollout, config.switch
    return {
        "before": (switch - length, switch),
        "at": (switch, switch + length),
        "after": (2 * switch - length, 2 * switch),
    }


def noticed(config: SwitchConfig, rounds: Sequence[RoundRecord]) -> float | None:
    """Rounds after the switch until another environment was inferred than in the last round before it; None if never.

    1 is the first round of updates on frames of the new look.
    """
    earlier = [record.environment for record in rounds if record.timesteps <= config.switch]
    later = [record.environment for record in rounds if record.timesteps > config.switch]
    home = earlier[-1] if earlier else None
    changed = [place for place, environment in enumerate(later, start=1) if environment not in (home, None)]
    return float(changed[0]) if changed else None


def measure_chance(config: SwitchConfig, seed: int, advance: Advance) -> Measured:
    """Returns of the random policy on both looks: `return/before` and `return/after`."""
    figures: dict[str, float | None] = {}
    for when, look in (("before", config.before), ("after", config.after)):
        venv = make_copies([look], copies=config.policy.copies)
        act = RandomPolicy(venv.action_space, rng=np.random.default_rng(seed))
        try:
            on_episode = partial(advance, 1.0 / config.chance)
            found = evaluate_on_level(act, venv, episodes=config.chance, seed=seed, on_episode=on_episode)
        finally:
            venv.close()
        figures[f"return/{when}"] = float(found.returns.mean())
    return Measured(figures=figures)


def probe_frames(look: LevelChoice, *, count: int, seed: int) -> np.ndarray:
    """Frames that a wanderer meets on a level, uint8, shape `[count, C, H, W]`."""
    venv = make_copies([look], copies=1)
    try:
        venv.seed(seed)
        frames, act = [np.asarray(venv.reset())], Wanderer(1, rng=np.random.default_rng(seed))
        while len(frames) < count:
            for _ in range(APART):
                observations = venv.step(act())[0]
            frames.append(np.asarray(observations))
    finally:
        venv.close()
    return np.concatenate(frames).transpose(0, 3, 1, 2).copy()


def _series(log: EpisodeLog, starts: Sequence[RolloutStart], rounds: Sequence[RoundRecord]) -> dict[str, Any]:
    told: dict[str, Callable[[RolloutStart], Any]] = {
        "start": lambda start: start.timesteps,
        "published": lambda start: int(start.published),
        "moved_before": lambda start: start.moved[0],
        "moved_after": lambda start: start.moved[1],
        "policy_kl_before": lambda start: start.policy_kl[0],
        "policy_kl_after": lambda start: start.policy_kl[1],
        "information_before": lambda start: start.information[0],
        "information_after": lambda start: start.information[1],
        "update_kl": lambda start: start.update_kl,
    }
    return {
        "episode_end": log.ends,
        "return": log.returns,
        **{name: [_finite(of(start)) for start in starts] for name, of in told.items()},
        "round": [record.timesteps for record in rounds],
        "environment": [record.environment for record in rounds],
        "environments": [record.environments for record in rounds],
        "masked": [len(record.masked) for record in rounds],
    }


def _mean(values: Sequence[float] | np.ndarray) -> float | None:
    """None where there are none, or none that is finite."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
