"""The VASE goes on learning beside the agent, and never under the feet of the policy's update."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.callbacks import BaseCallback, CallbackList, CheckpointCallback, EvalCallback
from stable_baselines3.common.logger import HumanOutputFormat, KVWriter, Logger
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize, VecTransposeImage

from perma_agent.continual import Learner, Update
from perma_agent.continual.checkpoint import load_extra, load_learner, save_run
from perma_agent.errors import RunFolderError
from perma_agent.sb3 import ContinualConfig, ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.seeing.features_extractor import extractors_of
from perma_agent.types import FramePairs

BRISK = ContinualConfig(updates_per_rollout=2, every=1, pairs=4)


def digest(module: torch.nn.Module) -> str:
    state = module.state_dict()
    return hashlib.sha256(b"".join(state[name].numpy().tobytes() for name in sorted(state))).hexdigest()


def contents(folder: str | Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


# --- when the encoder changes ---


class Witness(BaseCallback):
    """Notes the encoder's digest at every hook; stands behind the callback it watches."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[list[str]] = []

    def note(self) -> None:
        self.seen[-1].append(digest(extractors_of(self.model.policy)[0]))

    def _on_rollout_start(self) -> None:
        self.seen.append([])
        self.note()

    def _on_step(self) -> bool:
        self.note()
        return True

    def _on_rollout_end(self) -> None:
        self.note()


class WatchedPPO(PPO):
    """PPO that looks at itself before and after its updates."""

    def train(self) -> None:
        witness, buffer = self.witness, self.rollout_buffer
        observations = torch.as_tensor(buffer.observations).flatten(0, 1)
        actions = torch.as_tensor(buffer.actions).flatten()
        with torch.no_grad():
            now = self.policy.evaluate_actions(observations, actions)[1]
        stored = torch.as_tensor(buffer.log_probs).flatten()
        self.ratios.append((now - stored).exp().sub(1).abs().max().item())
        witness.note()
        super().train()
        witness.note()


class PublishesTooEarly(ContinualVASECallback):
    """The mistake: the encoder changes between collecting and training."""

    def _on_rollout_end(self) -> None:
        super()._on_rollout_end()
        self._on_rollout_start()


def watched(kind: type[ContinualVASECallback], run: str, level, **options: Any) -> tuple[WatchedPPO, Witness, Any]:
    venv = level()
    agent = WatchedPPO(
        "CnnPolicy",
        venv,
        policy_kwargs=VASEFeaturesExtractor.policy_kwargs(run) | {"ortho_init": False},  # policies that differ by frame
        n_steps=16,
        batch_size=16,
        n_epochs=2,
        seed=0,
        device="cpu",
        **options,
    )
    agent.ratios, agent.witness = [], Witness()
    callback = kind(config=BRISK)
    agent.learn(4 * 32, callback=CallbackList([callback, agent.witness]))
    return agent, agent.witness, callback


def test_publication_waits_for_the_next_rollout(run, level):
    agent, witness, callback = watched(ContinualVASECallback, run, level)
    assert len(witness.seen) == 4
    for seen in witness.seen:
        assert len(seen) == 1 + 16 + 1 + 2 and len(set(seen)) == 1  # rollout start, steps, end, before and after train
    assert len({seen[0] for seen in witness.seen}) == 4  # and another one in each
    assert callback.learner.step == 8
    assert extractors_of(agent.policy)[0].published_step == 6  # what was learnt from the last rollout waits


def test_first_minibatch_ratio_is_one(run, level):
    agent, *_ = watched(ContinualVASECallback, run, level)
    assert len(agent.ratios) == 4 and max(agent.ratios) < 2e-6  # heads round by batch size; features do not
    wrong, *_ = watched(PublishesTooEarly, run, level)
    assert min(wrong.ratios) > 2e-5  # so the line above can fail


def test_no_updates_equal_no_callback(run, level, agent):
    def train(callback: BaseCallback | None) -> tuple[dict[str, torch.Tensor], torch.Tensor, Any]:
        made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
        made.learn(96, callback=callback)
        return made.policy.state_dict(), torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002

    idle = ContinualVASECallback(config=ContinualConfig(updates_per_rollout=0, every=1))
    (without, torch_without, numpy_without), (beside, torch_beside, numpy_beside) = train(None), train(idle)
    assert all(torch.equal(value, beside[name]) for name, value in without.items())
    assert torch.equal(torch_without, torch_beside) and np.array_equal(numpy_without, numpy_beside)
    assert idle.learner.step == 0 and idle.history == []


class Discreet(ContinualVASECallback):
    """Notes whether its own work drew from the global generators."""

    unchanged: list[bool]

    def watch(self, work: Callable[[], None]) -> None:
        before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
        work()
        numpy_after = np.random.get_state()[1]  # noqa: NPY002
        self.unchanged.append(torch.equal(torch.get_rng_state(), before) and np.array_equal(numpy_after, numpy_before))

    def _init_callback(self) -> None:
        self.watch(super()._init_callback)

    def _on_rollout_start(self) -> None:
        self.watch(super()._on_rollout_start)

    def _on_rollout_end(self) -> None:
        self.watch(super()._on_rollout_end)

    def _on_training_end(self) -> None:
        self.watch(super()._on_training_end)


def test_global_randomness_is_left_alone(run, level, agent, tmp_path):
    callback = Discreet(config=BRISK, save_to=tmp_path / "after")
    callback.unchanged = []
    agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run)).learn(64, callback=callback)
    assert callback.learner.step == 4 and callback.unchanged == [True] * 6


def test_runs_are_reproducible(run, level, agent):
    def train() -> tuple[str, str]:
        callback = ContinualVASECallback(config=BRISK)
        made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
        made.learn(96, callback=callback)
        return digest(made.policy), digest(callback.learner.model)

    assert train() == train()


# --- what it learns from ---


class Clock(gymnasium.Env[np.ndarray, int]):
    """Frames whose every pixel says how many rollouts of 8 steps have passed."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0, 255, (3, 64, 64), np.uint8)
        self.action_space = spaces.Discrete(2)
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        return self._frame(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.steps += 1
        return self._frame(), 0.0, False, False, {}

    def _frame(self) -> np.ndarray:
        return np.full((3, 64, 64), self.steps // 8, dtype=np.uint8)


@dataclass
class ScriptedInference:
    pending: int | None = None
    records: list[int] = field(default_factory=lambda: [0])


class ScriptedLearner(Learner):
    """Learns nothing; notes which rollouts a batch shows, and answers as scripted by rollout."""

    def __init__(self, source: Learner, answers: dict[int, list[int | None]]) -> None:
        super().__init__(source.model, source.config)
        self.answers = answers
        self.shown: list[set[int]] = []
        self.inference = ScriptedInference()
        self.present: int | None = 0

    @property
    def environment(self) -> int | None:
        return self.present

    @property
    def mask(self) -> torch.Tensor:
        return torch.ones(4, dtype=torch.bool)

    def update(self, pairs: FramePairs) -> Update:
        self.shown.append(set(np.unique(pairs.frames).tolist()) | set(np.unique(pairs.earlier).tolist()))
        rollout, index = divmod(self.step, 4)
        self.step += 1
        answer = self.answers.get(rollout, [self.present] * 4)[index]
        self.inference.pending = 9 if answer is None else None
        self.present = self.present if answer is None else answer
        return Update(
            step=self.step, environment=answer, opened=False, alpha=torch.zeros(4), mask=self.mask, metrics={}
        )


def shown_rollouts(learner, agent, run: str, answers: dict[int, list[int | None]], **options: Any) -> list[list[set]]:
    """Which rollouts the four batches after each of five rollouts showed."""
    scripted = ScriptedLearner(learner(), answers)
    config = ContinualConfig(**{"updates_per_rollout": 4, "every": 1, "pairs": 32, "offsets": (1,), **options})
    venv = DummyVecEnv([Clock, Clock])
    made = agent(PPO, venv, VASEFeaturesExtractor.policy_kwargs(run), n_steps=8)
    made.learn(5 * 16, callback=ContinualVASECallback(learner=scripted, config=config))
    return [scripted.shown[start : start + 4] for start in range(0, 20, 4)]


def test_every_second_batch_shows_earlier_rollouts_of_the_same_environment(learner, agent, run):
    shown = shown_rollouts(learner, agent, run, {})
    assert shown[0] == [{0}] * 4
    assert shown[1] == [{1}, {0}, {1}, {0}]
    assert shown[4] == [{4}, {0, 1, 2, 3}, {4}, {0, 1, 2, 3}]


def test_the_window_is_bounded(learner, agent, run):
    assert shown_rollouts(learner, agent, run, {}, window=32)[4][1] == {2, 3}
    assert shown_rollouts(learner, agent, run, {}, window=0)[4] == [{4}] * 4


def test_surprise_turns_to_the_newest_and_a_change_clears_the_window(learner, agent, run):
    # Rollout 2 surprises three times, then another environment is inferred; rollout 3 is of that one.
    shown = shown_rollouts(learner, agent, run, {2: [None, None, None, 1]})
    assert shown[1] == [{1}, {0}, {1}, {0}]
    assert shown[2] == [{2}] * 4
    assert shown[3] == [{3}] * 4  # rollouts 0 and 1 were of another environment, 2 of nobody knows which
    assert shown[4] == [{4}, {3}, {4}, {3}]


def test_a_surprise_that_lasts_keeps_the_window_out(learner, agent, run):
    shown = shown_rollouts(learner, agent, run, {2: [0, 0, 0, None], 3: [None, None, 0, 0]})
    assert shown[2] == [{2}, {0, 1}, {2}, {0, 1}]
    assert shown[3] == [{3}] * 3 + [{0, 1}]  # back to calm after the third; rollout 2 ended in doubt and was not kept


def test_short_rollouts_are_put_together(run, level, agent):
    class Counted(ContinualVASECallback):
        sizes: list[int]

        def _update(self, newest: Any) -> None:
            self.sizes.append(len(newest))
            super()._update(newest)

    callback = Counted(config=ContinualConfig(updates_per_rollout=1, every=40, pairs=4))
    callback.sizes = []
    agent(A2C, level(), VASEFeaturesExtractor.policy_kwargs(run)).learn(160, callback=callback)  # 16 steps a rollout
    assert callback.sizes == [48, 48, 48] and callback.learner.step == 3


def test_episodes_too_short_for_a_pair_are_passed_over(run, level, agent):
    callback = ContinualVASECallback(config=BRISK)
    agent(PPO, level(limit=1), VASEFeaturesExtractor.policy_kwargs(run)).learn(64, callback=callback)
    assert callback.learner.step == 0


# --- other algorithms and companions ---


@pytest.mark.parametrize("algorithm", [DQN, SAC])
def test_off_policy(run, level, agent, algorithm):
    callback = ContinualVASECallback(config=ContinualConfig(updates_per_rollout=2, every=32, pairs=4))
    made = agent(algorithm, level(continuous=algorithm is SAC), VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(120, callback=callback)
    assert callback.learner.step == 2 * 3  # after 32, 64 and 96 of 120 timesteps
    learnt = {digest(extractor) for extractor in extractors_of(made.policy)}
    assert len(learnt) == 1  # online networks and targets see through one encoder
    extractor = extractors_of(made.policy)[-1]
    assert extractor.published_step == 6 and digest(extractor.encoder) == digest(callback.learner.model.encoder)


@pytest.mark.parametrize("channels_last", [True, False])
def test_beside_other_callbacks_and_wrappers(run, level, agent, tmp_path, channels_last):
    venv = VecNormalize(level(channels_last=channels_last), norm_obs=False)
    callback = ContinualVASECallback(config=BRISK)
    watched = VecNormalize(level(count=1, channels_last=channels_last), norm_obs=False, training=False)
    evaluation = EvalCallback(
        VecTransposeImage(watched) if channels_last else watched,
        eval_freq=16,
        n_eval_episodes=1,
        best_model_save_path=str(tmp_path / "best"),
        verbose=0,
    )
    checkpoints = CheckpointCallback(16, str(tmp_path / "checkpoints"))
    made = agent(PPO, venv, VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(64, callback=CallbackList([evaluation, callback, checkpoints]), progress_bar=True)
    assert callback.learner.step == 4
    best = PPO.load(tmp_path / "best" / "best_model.zip", device="cpu")
    assert extractors_of(best.policy)[0].published_step >= 0


# --- what is told and kept ---


class Collector(KVWriter):
    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        self.written.append(dict(key_values))


def test_metrics_are_logged(run, level, agent, monkeypatch):
    updates: list[Update] = []
    original = Learner.update
    monkeypatch.setattr(Learner, "update", lambda self, pairs: updates.append(original(self, pairs)) or updates[-1])
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    collector, screen = Collector(), io.StringIO()
    made.set_logger(Logger(None, [collector, HumanOutputFormat(screen)]))
    made.learn(64, callback=ContinualVASECallback(config=BRISK))
    assert len(collector.written) == 2 and len(updates) == 4
    first = collector.written[0]
    losses = [update.metrics["loss/reconstruction"] for update in updates[:2]]
    assert first["vase/loss/reconstruction"] == pytest.approx(sum(losses) / 2)
    for name, value in updates[1].metrics.items():
        assert np.isnan(value) or f"vase/{name}" in first, name
    assert (first["vase/environment/index"], first["vase/environment/count"], first["vase/latents/masked"]) == (0, 1, 0)
    assert "loss/reconstruction" in screen.getvalue()


def test_history_is_kept_and_bounded(run, level, agent):
    callback = ContinualVASECallback(config=ContinualConfig(updates_per_rollout=2, every=1, pairs=4, history=3))
    agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run)).learn(5 * 32, callback=callback)
    assert [record.timesteps for record in callback.history] == [96, 128, 160]
    last = callback.history[-1]
    assert (last.step, last.environment, last.environments, last.opened, last.undecided) == (10, 0, 1, False, 0)
    assert len(last.atypicality) == 4 and all(alpha >= 0 for alpha in last.atypicality) and last.masked == ()


def test_saved_where_it_is_told_to_and_nowhere_else(run, level, agent, tmp_path):
    save_run(load_learner(run), run, extra={"level": "perma/Test-v0"})
    before = contents(run)
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(32, callback=ContinualVASECallback(config=BRISK))
    assert contents(run) == before
    callback = ContinualVASECallback(config=BRISK, save_to=tmp_path / "after", learner=load_learner(run))
    made.learn(64, callback=callback)
    assert contents(run) == before
    saved = load_learner(tmp_path / "after")
    assert saved.step == 4 and digest(saved.model) == digest(callback.learner.model)
    onward = ContinualVASECallback(run=run, config=BRISK, save_to=run)
    agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run)).learn(64, callback=onward)
    extra = load_extra(run)
    assert extra["level"] == "perma/Test-v0" and len(extra["continual"]) == 1  # what was there is kept
    assert [record["step"] for record in extra["continual"][0]["history"]] == [2, 4]


def test_saved_every_few_rounds(run, level, agent, tmp_path):
    class Saves(ContinualVASECallback):
        steps: list[int]

        def save(self) -> None:
            self.steps.append(self.learner.step)
            super().save()

    callback = Saves(
        config=ContinualConfig(updates_per_rollout=1, every=1, pairs=4, save_every=2), save_to=tmp_path / "after"
    )
    callback.steps = []
    agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run)).learn(5 * 32, callback=callback)
    assert callback.steps == [2, 4, 5]


def test_an_agent_that_was_saved_goes_on(run, level, agent, tmp_path):
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(64, callback=ContinualVASECallback(config=BRISK, save_to=tmp_path / "after"))
    made.save(tmp_path / "agent.zip")
    loaded = PPO.load(tmp_path / "agent.zip", env=level(), device="cpu")
    onward = ContinualVASECallback(run=tmp_path / "after", config=BRISK)
    loaded.learn(32, callback=onward)
    assert onward.learner.step == 6 and extractors_of(loaded.policy)[0].published_step == 4
    # The default would be the run folder of before: its encoder is not the one this policy has learnt with.
    with pytest.raises(RunFolderError, match=r"seen at least the 4 batches .* got 0 in .*; pass run="):
        loaded.learn(32, callback=ContinualVASECallback(config=BRISK))


def test_one_callback_goes_on_with_another_agent(run, level, agent):
    callback = ContinualVASECallback(config=BRISK)
    for rounds in (1, 2):
        made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
        made.learn(32, callback=callback)
        assert callback.learner.step == 2 * rounds
        assert extractors_of(made.policy)[0].published_step == 2 * (rounds - 1)


def test_what_cannot_be(run, level, agent, learner, tmp_path):
    with pytest.raises(ValueError, match="expected run or learner, got both"):
        ContinualVASECallback(run, learner=learner())
    with pytest.raises(ValueError, match="expected a learner, got none yet"):
        _ = ContinualVASECallback().learner
    plain = PPO("CnnPolicy", level(), n_steps=8, batch_size=16, device="cpu")
    with pytest.raises(ValueError, match="expected an agent with a VASEFeaturesExtractor"):
        plain.learn(8, callback=ContinualVASECallback(run))
    frozen = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run, mode="frozen"))
    frozen.learn(32)
    with pytest.raises(ValueError, match="mode 'continual', got 'frozen'"):
        frozen.learn(32, callback=ContinualVASECallback())
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    with pytest.raises(ValueError, match="expected a learner of the agent's model"):
        made.learn(32, callback=ContinualVASECallback(learner=learner(latents=5)))
    save_run(learner(latents=5), tmp_path / "other")
    with pytest.raises(RunFolderError, match="expected a learner of the agent's model"):
        made.learn(32, callback=ContinualVASECallback(tmp_path / "other"))
    with pytest.raises(RunFolderError, match="nowhere"):
        made.learn(32, callback=ContinualVASECallback(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "wrong",
    [{"pairs": 0}, {"offsets": ()}, {"offsets": (0,)}, {"every": 0}, {"window": -1}, {"save_every": 0}, {"history": 0}],
)
def test_config_is_checked(wrong):
    with pytest.raises(ValueError, match="expected"):
        ContinualConfig(**wrong)


# --- what it is for ---


def test_a_new_world_is_noticed_while_the_agent_learns(tmp_path, level, agent, learner):
    save_run(learner(burn_in=30), tmp_path / "vase")
    callback = ContinualVASECallback(config=ContinualConfig(updates_per_rollout=10, every=1, pairs=8))
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(tmp_path / "vase"))
    made.learn(5 * 32, callback=callback)
    assert [record.environment for record in callback.history] == [0] * 5
    made.set_env(level(day=True))
    made.learn(3 * 32, callback=callback, reset_num_timesteps=False)
    found = [(record.environment, record.environments, record.opened) for record in callback.history]
    assert found[-1][:2] == (1, 2) and [opened for *_, opened in found[5:]].count(True) == 1
    assert sum(record.undecided for record in callback.history) == callback.learner.config.inference.patience - 1
    assert callback.learner.snapshot is not None
