"""Bundle: an agent comes back as it was, from JSON and safetensors alone, and what cannot come back is refused."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from perma_agent.continual.checkpoint import load_learner
from perma_agent.errors import RunFolderError
from perma_agent.sb3 import ContinualVASECallback, VASEFeaturesExtractor, load_bundle, read_bundle, save_bundle
from perma_agent.sb3.learning.continual_config import ContinualConfig


@pytest.fixture
def learnt(run: str, level: Callable[..., Any], agent: Callable[..., Any]) -> Callable[..., PPO]:
    """Make an agent that has learnt a little."""

    def make(*, options: dict[str, Any] | None = None, callback: BaseCallback | None = None, **kwargs: Any) -> PPO:
        mode = "frozen" if callback is None else "continual"
        policy = VASEFeaturesExtractor.policy_kwargs(run, mode=mode) | kwargs
        return agent(PPO, level(), policy, **(options or {})).learn(64, callback=callback)

    return make


def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)


def same_state(one: PPO, other: PPO) -> None:
    """Every weight of two policies, and every moment of their optimisers, is the same."""
    first, second = one.policy.state_dict(), other.policy.state_dict()
    assert list(first) == list(second)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    first, second = one.policy.optimizer.state_dict(), other.policy.optimizer.state_dict()
    assert first["state"].keys() == second["state"].keys() != set()
    for index, values in first["state"].items():
        for key, value in values.items():
            assert torch.equal(value, second["state"][index][key]), (index, key)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"net_arch": []},
        {"net_arch": {"pi": [5], "vf": [7, 3]}},
        {"activation_fn": torch.nn.ReLU, "ortho_init": False},
        {"share_features_extractor": False},
    ],
)
def test_what_is_loaded_is_what_was_saved(learnt: Callable[..., PPO], tmp_path: Path, kwargs: dict[str, Any]) -> None:
    saved = learnt(**kwargs)
    save_bundle(saved, tmp_path / "agent", extra={"level": "squares"})
    loaded = load_bundle(tmp_path / "agent")
    same_state(saved, loaded)
    assert loaded.num_timesteps == saved.num_timesteps == 64
    assert loaded.observation_space == saved.observation_space
    assert loaded.action_space == saved.action_space
    for name in ("gamma", "n_steps", "batch_size", "n_epochs", "learning_rate", "ent_coef", "seed", "n_envs"):
        assert getattr(loaded, name) == getattr(saved, name), name
    assert loaded.clip_range(1.0) == saved.clip_range(1.0)
    chosen = [agent.predict(frames(), deterministic=True)[0] for agent in (saved, loaded)]
    np.testing.assert_array_equal(*chosen)
    assert read_bundle(tmp_path / "agent").extra == {"level": "squares"}


def test_the_encoder_that_was_learnt_on_comes_along(learnt: Callable[..., PPO], run: str, tmp_path: Path) -> None:
    config = ContinualConfig(updates_per_rollout=2, every=16, offsets=(1,))
    before = load_learner(run).model.encoder.state_dict()
    saved = learnt(callback=ContinualVASECallback(config=config))
    save_bundle(saved, tmp_path / "agent")
    shutil.rmtree(run)  # nothing but the bundle's folder is needed
    loaded = load_bundle(tmp_path / "agent")
    same_state(saved, loaded)
    extractor = loaded.policy.features_extractor
    assert extractor.published_step > 0
    assert not any(torch.equal(value, before[name]) for name, value in extractor.encoder.state_dict().items())
    assert loaded.predict(frames())[0].shape == (6,)


def test_a_loaded_agent_learns_on(learnt: Callable[..., PPO], level: Callable[..., Any], tmp_path: Path) -> None:
    save_bundle(learnt(), tmp_path / "agent")
    loaded = load_bundle(tmp_path / "agent")
    loaded.set_env(level())
    loaded.learn(32, reset_num_timesteps=False)
    assert loaded.num_timesteps == 96
    steps = {float(values["step"]) for values in loaded.policy.optimizer.state_dict()["state"].values()}
    before = {float(values["step"]) for values in learnt().policy.optimizer.state_dict()["state"].values()}
    assert min(steps) > max(before)  # Adam went on instead of beginning anew


def test_continuous_actions(run: str, level: Callable[..., Any], agent: Callable[..., Any], tmp_path: Path) -> None:
    saved = agent(PPO, level(continuous=True), VASEFeaturesExtractor.policy_kwargs(run, mode="frozen")).learn(32)
    save_bundle(saved, tmp_path / "agent")
    loaded = load_bundle(tmp_path / "agent")
    same_state(saved, loaded)
    assert loaded.action_space == saved.action_space
    np.testing.assert_array_equal(
        saved.predict(frames(), deterministic=True)[0], loaded.predict(frames(), deterministic=True)[0]
    )


def test_nothing_is_pickled(learnt: Callable[..., PPO], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_bundle(learnt(), tmp_path / "agent")
    assert sorted(path.name for path in (tmp_path / "agent").iterdir()) == [
        "config.json",
        "manifest.json",
        "normalisers.json",
        "normalisers.safetensors",
        "policy.safetensors",
    ]
    assert not any(zipfile.is_zipfile(path) for path in (tmp_path / "agent").iterdir())

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("a pickle was read")

    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    load_bundle(tmp_path / "agent")


def test_loading_draws_no_random_numbers(learnt: Callable[..., PPO], tmp_path: Path) -> None:
    save_bundle(learnt(), tmp_path / "agent")
    before = torch.get_rng_state()
    load_bundle(tmp_path / "agent")
    assert torch.equal(torch.get_rng_state(), before)


def test_an_encoder_shared_by_actor_and_critic_is_written_once(learnt: Callable[..., PPO], tmp_path: Path) -> None:
    save_bundle(learnt(), tmp_path / "one")
    save_bundle(learnt(share_features_extractor=False), tmp_path / "two")
    one, two = ((tmp_path / name / "policy.safetensors").stat().st_size for name in ("one", "two"))
    assert one < 0.7 * two


@pytest.mark.parametrize(
    ("options", "kwargs", "complaint"),
    [
        ({"learning_rate": lambda left: left * 1e-3}, {}, "got another learning_rate;"),
        ({"clip_range": lambda left: left * 0.2}, {}, "got another clip_range;"),
        ({"clip_range_vf": lambda left: left}, {}, "got another clip_range_vf;"),
        ({}, {"optimizer_class": torch.optim.Adagrad}, "got another optimizer_class;"),
        ({}, {"activation_fn": torch.nn.Flatten}, "got another activation_fn;"),
    ],
)
def test_what_only_code_can_make_again_is_refused(
    learnt: Callable[..., PPO], tmp_path: Path, options: dict[str, Any], kwargs: dict[str, Any], complaint: str
) -> None:
    agent = learnt(options=options, **kwargs)
    with pytest.raises(ValueError, match=complaint):
        save_bundle(agent, tmp_path / "agent")
    assert not (tmp_path / "agent").exists()


@pytest.mark.parametrize("name", ["config.json", "policy.safetensors", "manifest.json"])
def test_a_changed_byte_is_noticed(learnt: Callable[..., PPO], tmp_path: Path, name: str) -> None:
    save_bundle(learnt(), tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RunFolderError, match="altered"):
        load_bundle(tmp_path)


def test_a_config_that_does_not_fit_its_weights(learnt: Callable[..., PPO], tmp_path: Path) -> None:
    from perma_agent.continual.run_folder import read_files, write_files
    from perma_agent.sb3.saving.bundle import FILES

    save_bundle(learnt(), tmp_path)
    contents = read_files(tmp_path, FILES)
    config = json.loads(contents["config.json"])
    for part, name, value in (
        ("policy", "net_arch", [9]),
        ("policy", "activation_fn", "Sinus"),
        ("observations", "dtype", "uint1"),
        ("observations", "shape", [2, 32, 32]),
        ("settings", "gamma", "much"),
    ):
        changed = json.loads(json.dumps(config))
        changed["agent"][part][name] = value
        write_files(tmp_path, {**contents, "config.json": json.dumps(changed).encode()})
        with pytest.raises(RunFolderError, match="expected"):
            load_bundle(tmp_path)


def test_saving_again_replaces_and_leaves_other_files(learnt: Callable[..., PPO], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    save_bundle(learnt(), tmp_path, extra={"turn": 1})
    save_bundle(learnt(), tmp_path, extra={"turn": 2})
    assert read_bundle(tmp_path).extra == {"turn": 2}
    assert (tmp_path / "notes.txt").read_text() == "mine"
