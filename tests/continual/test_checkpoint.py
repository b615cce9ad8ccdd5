"""A run folder gives back the learner bit for bit, or one clear sentence."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes

from perma_agent.continual import DreamConfig, InferenceConfig, Learner, LearnerConfig
from perma_agent.continual.checkpoint import FILES, load_extra, load_learner, load_model, save_run
from perma_agent.continual.environment_inference import Verdict
from perma_agent.continual.learner_state import state_of, tensors_of
from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.errors import RunFolderError
from perma_agent.models import VASE, VASEConfig
from perma_agent.types import FramePairs

BURN_IN = 12


def world(kind: str, rng: np.random.Generator, *, channels: int, count: int = 8) -> FramePairs:
    """A white square on black ("night"), its negative ("day"), or stripes, moving 4 pixels to the right."""
    frames = np.zeros((2, count, channels, 64, 64), dtype=np.uint8)
    for index in range(count):
        row, column = rng.integers(0, 44, 2)
        for moment in (0, 1):
            left = column + 4 * moment
            frames[moment, index, :, row : row + 16, left : left + 16] = 200
    if kind == "day":
        frames = 255 - frames
    if kind == "stripes":
        frames[..., ::4, :] = 255 - frames[..., ::4, :]
    return FramePairs(frames[1], frames[0], np.full(count, 4))


def new_learner(*, channels: int = 3, autocast: bool | None = None, seed: int = 0) -> Learner:
    torch.manual_seed(seed)
    config = VASEConfig(
        channels=channels,
        filters=(4, 4, 4, 4),
        hidden=16,
        latents=4,
        max_environments=3,
        likelihood="gaussian" if channels == 3 else "bernoulli",
    )
    settings = LearnerConfig(
        learning_rate=1e-2,
        seed=seed,
        dreaming=DreamConfig(count=4),
        inference=InferenceConfig(burn_in=BURN_IN),
        autocast=autocast,
    )
    return Learner(VASE(config), settings)


def grown_learner(*, channels: int = 3, autocast: bool | None = None) -> Learner:
    """Two settled environments, a snapshot, and a change that has been seen but is not yet believed.

    When the environments change is decreed, so that this does not hang on how the inference is tuned.
    """
    learner, rng = new_learner(channels=channels, autocast=autocast), np.random.default_rng(0)
    inference = learner.inference
    for environment, kind in enumerate(("night", "day")):
        inference.decide = lambda _, s=environment: (  # type: ignore[method-assign]
            Verdict(environment=s) if inference.current == s else inference._change_to(s, Verdict(environment=None))
        )
        for _ in range(BURN_IN + 5):
            learner.update(world(kind, rng, channels=channels))
    del inference.decide
    inference.pending, inference.pending_batches = 2, 1
    return learner


def everything(learner: Learner) -> dict[str, Any]:
    tensors = {**tensors_of(learner), **learner.model.state_dict()}
    return {**{name: value.clone() for name, value in tensors.items()}, "numbers": state_of(learner)}


def differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Names under which the two differ in any bit."""
    return [
        name
        for name in first.keys() | second.keys()
        if name not in first
        or name not in second
        or not (
            torch.equal(first[name], second[name])
            if isinstance(first[name], torch.Tensor)
            else first[name] == second[name]
        )
    ]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grown") / "run"
    save_run(grown_learner(), folder, extra={"level": "perma/Test-v0"})
    return folder


@pytest.fixture
def run(grown: Path, tmp_path: Path) -> Path:
    shutil.copytree(grown, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize(("channels", "autocast"), [(3, None), (1, None), (3, True)])
def test_resumed_updates_equal_uninterrupted_ones(tmp_path: Path, channels: int, autocast: bool | None):
    learner = grown_learner(channels=channels, autocast=autocast)
    assert len(learner.inference.records) == 2 and all(record.settled for record in learner.inference.records)
    assert learner.snapshot is not None and learner.inference.pending_batches == 1 and learner._last is not None
    save_run(learner, tmp_path / "run")
    resumed = load_learner(tmp_path / "run")
    assert resumed.config == learner.config and resumed.model.config == learner.model.config
    assert differences(everything(learner), everything(resumed)) == []
    rng, again = np.random.default_rng(1), np.random.default_rng(1)
    kinds = ["stripes"] * 5 + ["night"] * 4 + ["day"] * 4
    for kind in kinds:
        one = learner.update(world(kind, rng, channels=channels))
        other = resumed.update(world(kind, again, channels=channels))
        assert one.metrics.keys() == other.metrics.keys()
        for name, value in one.metrics.items():
            assert value == other.metrics[name] or (math.isnan(value) and math.isnan(other.metrics[name])), name
        assert torch.equal(one.alpha, other.alpha) and torch.equal(one.mask, other.mask)
    assert differences(everything(learner), everything(resumed)) == []


def test_a_learner_that_has_seen_nothing(tmp_path: Path):
    learner = new_learner()
    save_run(learner, tmp_path / "run")
    resumed = load_learner(tmp_path / "run")
    rng, again = np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(3):
        learner.update(world("night", rng, channels=3))
        resumed.update(world("night", again, channels=3))
    assert differences(everything(learner), everything(resumed)) == []


def test_saving_changes_nothing(run: Path, tmp_path: Path):
    learner = load_learner(run)
    before = everything(learner)
    save_run(learner, tmp_path / "other")
    save_run(learner, tmp_path / "other")
    assert differences(before, everything(learner)) == []


def test_a_later_save_replaces_the_earlier(tmp_path: Path):
    learner, rng = new_learner(), np.random.default_rng(0)
    for step in (1, 2, 3):
        learner.update(world("night", rng, channels=3))
        save_run(learner, tmp_path / "run")
        assert load_learner(tmp_path / "run").step == step


def test_every_attribute_of_a_learner_is_saved_or_follows_from_its_configuration():
    # A new attribute must be written down in continual/learner_state.py (numbers are, by themselves), or be
    # listed here with its origin.
    saved = {"snapshot", "generator", "optimizer", "inference", "_last", "model"}
    from_configuration = {"config", "_autocast"}
    of_the_caller = {"on_update"}
    attributes = vars(new_learner())
    assert {
        name for name, value in attributes.items() if type(value) not in (int, float)
    } == saved | from_configuration | of_the_caller
    assert attributes["step"] == 0


def test_global_randomness_is_left_alone(run: Path):
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    load_learner(run)
    load_model(run)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


def test_extra_comes_back(run: Path):
    assert load_extra(run) == {"level": "perma/Test-v0"}
    with pytest.raises(TypeError):
        save_run(new_learner(), run, extra={"model": object()})
    assert load_extra(run) == {"level": "perma/Test-v0"}


def test_model_for_inference(run: Path):
    saved, learner = load_model(run), load_learner(run)
    assert not saved.model.training and not any(p.requires_grad for p in saved.model.parameters())
    assert saved.environment == learner.environment is not None and saved.step == learner.step
    assert torch.equal(saved.mask, learner.mask)
    for name, value in learner.model.state_dict().items():
        assert torch.equal(saved.model.state_dict()[name], value)


def test_only_json_and_safetensors_are_written(run: Path):
    assert sorted(path.name for path in run.iterdir()) == sorted([*FILES, "manifest.json"])
    for name in FILES:
        content = (run / name).read_bytes()
        assert isinstance(json.loads(content), dict) if name.endswith("json") else tensors_from_bytes(content)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_is_accepted(run: Path, data: st.DataObject):
    name = data.draw(st.sampled_from([*FILES, "manifest.json"]))
    original = (run / name).read_bytes()
    position = data.draw(st.integers(0, len(original) - 1))
    if data.draw(st.booleans()):
        changed = original[:position]
    else:
        changed = original[:position] + bytes([original[position] ^ data.draw(st.integers(1, 255))])
        changed += original[position + 1 :]
    (run / name).write_bytes(changed)
    try:
        for load in (load_learner, load_model, load_extra):
            with pytest.raises(RunFolderError):
                load(run)
    finally:
        (run / name).write_bytes(original)


def rewrite(run: Path, name: str, content: bytes) -> None:
    """Change a file and sign it: what an editor of the folder, or another version, could have written."""
    write_files(run, {**read_files(run, FILES), name: content})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_signed_nonsense_is_refused_in_one_sentence(run: Path, data: st.DataObject):
    contents = read_files(run, FILES)
    name = data.draw(st.sampled_from(FILES))
    content = contents[name]
    position = data.draw(st.integers(0, len(content)))
    garbage = data.draw(st.binary(min_size=1, max_size=20))
    rewrite(run, name, content[:position] + garbage + content[position + data.draw(st.integers(0, 20)) :])
    try:
        load_learner(run)  # a changed digit of a weight is as good as any other weight
    except RunFolderError as error:
        assert "expected" in str(error) and "\n" not in str(error).split("got")[0]
    finally:
        write_files(run, contents)


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("model", {"latents": 5}, r"expected encoder\.mean\.weight of float32 \[5, 16\].* got float32 \[4, 16\]"),
        ("model", {"latents": 2**40}, "encoder"),
        ("model", {"hidden": 2**70}, "sizes that fit a machine|encoder"),
        ("model", {"max_environments": 1}, "decoder"),
        ("model", {"filters": [4, 4, 4]}, "encoder"),
        ("model", {"channels": 7}, "valid VASEConfig"),
        ("learner", {"colour": "red"}, "unknown 'colour'"),
        ("learner", {"learning_rate": -1.0}, "valid LearnerConfig"),
    ],
)
def test_config_that_does_not_fit(run: Path, part: str, change: dict[str, Any], message: str):
    plain = json.loads((run / "config.json").read_text())
    rewrite(run, "config.json", json.dumps({**plain, part: {**plain[part], **change}}).encode())
    with pytest.raises(RunFolderError, match=message):
        load_learner(run)


@pytest.mark.parametrize("part", ["model", "learner"])
def test_config_that_lacks_something(run: Path, part: str):
    plain = json.loads((run / "config.json").read_text())
    lost = next(iter(plain[part]))
    rewrite(
        run, "config.json", json.dumps({**plain, part: {k: v for k, v in plain[part].items() if k != lost}}).encode()
    )
    with pytest.raises(RunFolderError, match=f"missing '{lost}'"):
        load_learner(run)
    rewrite(run, "config.json", b"{}")
    with pytest.raises(RunFolderError, match="JSON object, got None"):
        load_learner(run)


@pytest.mark.parametrize(
    "change",
    [
        {"counters": {"step": "many"}},
        {"counters": {}},
        {"records": None},
        {"records": []},
        {"records": [{}, {}]},
        {"inference": {}},
        {"inference": {"current": 7, "pending": None, "pending_batches": 0}},
        {"inference": {"current": -1, "pending": None, "pending_batches": 0}},
        {"snapshot": None},
        {"snapshot": [5]},
        {"snapshot": 3},
    ],
)
def test_state_that_does_not_fit(run: Path, change: dict[str, Any]):
    rewrite(run, "state.json", json.dumps({**json.loads((run / "state.json").read_text()), **change}).encode())
    with pytest.raises(RunFolderError, match="expected"):
        load_learner(run)


def test_tensors_of_another_run(run: Path, tmp_path: Path):
    save_run(new_learner(channels=1), tmp_path / "other")
    for name in ("model.safetensors", "learner.safetensors", "config.json"):
        contents = read_files(run, FILES)
        rewrite(run, name, (tmp_path / "other" / name).read_bytes())
        with pytest.raises(RunFolderError, match="expected"):
            load_learner(run)
        write_files(run, contents)


@pytest.mark.parametrize("name", ["model.safetensors", "learner.safetensors"])
def test_tensors_missing_added_or_of_another_type(run: Path, name: str):
    contents = read_files(run, FILES)
    tensors = tensors_from_bytes(contents[name])
    first = next(key for key in tensors if key.endswith(("encoder.mean.weight", "encoder.mean.weight.exp_avg")))
    for changed in (
        {key: value for key, value in tensors.items() if key != first},
        {**tensors, "surplus": torch.zeros(1)},
        {**tensors, first: tensors[first].double()},
    ):
        rewrite(run, name, tensors_to_bytes(changed))
        with pytest.raises(RunFolderError, match=rf"{first.replace('.', '[.]')}|surplus|encoder\.mean\.weight"):
            load_learner(run)
