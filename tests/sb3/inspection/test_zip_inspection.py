"""A zip from somebody else: everything that it would execute is told, and nothing of it is executed."""

from __future__ import annotations

import base64
import functools
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from perma_agent.errors import PermaAgentError
from perma_agent.sb3 import VASEFeaturesExtractor
from perma_agent.sb3.inspection.pickle_report import Finding, report_on
from perma_agent.sb3.inspection.zip_inspection import inspect_zip


class Touches:
    """Leaves a file behind when its pickle is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def with_pickle(pickled: bytes, path: Path) -> Path:
    """A zip of SB3's kind with one pickle in `data`."""
    item = {":type:": "<class 'function'>", ":serialized:": base64.b64encode(pickled).decode()}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps({"gamma": 0.99, "lr_schedule": item}))
    return path


def by_name(findings: Any) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def of_item(path: Path, item: str) -> dict[str, Finding]:
    return by_name(next(one.findings for one in inspect_zip(path).items if one.name == item))


# --- what honest agents are ---


def test_agents_with_schedules_of_sb3_are_harmless(tmp_path: Path) -> None:
    for name, agent in {
        "ppo": PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8).learn(16),
        "sac": SAC("MlpPolicy", "Pendulum-v1", learning_starts=4, policy_kwargs={"activation_fn": torch.nn.ELU}).learn(
            8
        ),
    }.items():
        agent.save(tmp_path / f"{name}.zip")
        inspection = inspect_zip(tmp_path / f"{name}.zip")
        assert inspection.verdict == "harmless"
        assert {"data", "policy.pth", "data: policy_class"} <= {item.name for item in inspection.items}
        assert "torch._utils._rebuild_tensor_v2" in of_item(inspection.path, "policy.pth")


def test_an_agent_that_sees_through_a_vase_is_harmless(run: str, level: Any, agent: Any, tmp_path: Path) -> None:
    agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run)).save(tmp_path / "agent.zip")
    assert inspect_zip(tmp_path / "agent.zip").verdict == "harmless"
    name = "perma_agent.sb3.seeing.features_extractor.VASEFeaturesExtractor"
    assert name in of_item(tmp_path / "agent.zip", "data: policy_kwargs")


def test_a_lambda_schedule_is_code_of_its_own_and_is_shown(tmp_path: Path) -> None:
    SAC("MlpPolicy", "Pendulum-v1", learning_rate=lambda left: 0.25 * np.sqrt(left)).save(tmp_path / "sac.zip")
    inspection = inspect_zip(tmp_path / "sac.zip")
    assert inspection.verdict == "code"
    worse = {item.name for item in inspection.items if item.verdict != "harmless"}
    assert worse == {"data: learning_rate", "data: lr_schedule"}
    code = of_item(inspection.path, "data: learning_rate")["code <lambda>"]
    assert code.verdict == "code"
    for part in ("test_zip_inspection.py", "'sqrt'", "0.25"):
        assert part in code.examples[0]


def test_statistics_of_rl_zoo_are_examined_as_a_bare_pickle(tmp_path: Path) -> None:
    VecNormalize(DummyVecEnv([lambda: gymnasium.make("CartPole-v1")])).save(str(tmp_path / "vecnormalize.pkl"))
    inspection = inspect_zip(tmp_path / "vecnormalize.pkl")
    assert inspection.verdict == "harmless"
    assert "stable_baselines3.common.running_mean_std.RunningMeanStd" in by_name(inspection.items[0].findings)


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_of_both_formats_are_examined(tmp_path: Path, zipped: bool) -> None:
    torch.save({"w": torch.ones(3)}, tmp_path / "weights.pth", _use_new_zipfile_serialization=zipped)
    inspection = inspect_zip(tmp_path / "weights.pth")
    assert inspection.verdict == "harmless"
    assert any("torch._utils._rebuild_tensor_v2" in by_name(item.findings) for item in inspection.items)


# --- what is not executed ---


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_that_would_touch_a_file_is_told_of_and_not_read(tmp_path: Path, protocol: int) -> None:
    touched = tmp_path / "touched"
    path = with_pickle(pickle.dumps(Touches(touched), protocol=protocol), tmp_path / "evil.zip")
    found = of_item(path, "data: lr_schedule")["posix.system"]
    assert (found.verdict, found.uses) == ("suspicious", {"called": 1})
    assert "touch" in found.examples[0]
    assert not touched.exists()
    with zipfile.ZipFile(path) as archive:  # it would have worked
        pickle.loads(base64.b64decode(json.loads(archive.read("data"))["lr_schedule"][":serialized:"]))
    assert touched.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_file_that_would_touch_a_file_is_told_of(tmp_path: Path, zipped: bool) -> None:
    torch.save({"w": Touches(tmp_path / "touched")}, tmp_path / "policy.pth", _use_new_zipfile_serialization=zipped)
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("data", "{}")
        archive.write(tmp_path / "policy.pth", "policy.pth")
    assert of_item(tmp_path / "evil.zip", "policy.pth")["posix.system"].verdict == "suspicious"
    assert not (tmp_path / "touched").exists()


def test_a_pickle_behind_another_is_seen() -> None:
    assert "posix.system" in by_name(report_on(pickle.dumps(1) + pickle.dumps(Touches(Path("x")))))


def test_a_pickle_ends_where_it_is_damaged_but_does_what_stands_before() -> None:
    whole = pickle.dumps(Touches(Path("x")))
    found = by_name(report_on(whole[:-1] + b"\xff"))
    assert found["posix.system"].verdict == found["damaged pickle"].verdict == "suspicious"


def test_a_pickle_within_a_tensor_of_a_pickle_is_seen() -> None:
    within = io.BytesIO()
    torch.save(Touches(Path("x")), within, _use_new_zipfile_serialization=False)

    class Loads:
        def __reduce__(self) -> tuple[Any, ...]:
            return torch.storage._load_from_bytes, (within.getvalue(),)

    assert by_name(report_on(pickle.dumps(Loads())))["posix.system"].verdict == "suspicious"
    assert {one.verdict for one in report_on(pickle.dumps(torch.ones(2)))} == {"harmless"}


def test_a_pickle_that_is_a_zip_as_well_is_examined_as_the_pickle_that_it_would_be_read_as(tmp_path: Path) -> None:
    (tmp_path / "vecnormalize.pkl").write_bytes(pickle.dumps(Touches(tmp_path / "touched")))
    with zipfile.ZipFile(tmp_path / "vecnormalize.pkl", "a") as archive:
        archive.writestr("data", "{}")
    assert inspect_zip(tmp_path / "vecnormalize.pkl").verdict == "suspicious"


# --- how it is judged ---


def named(module: str, name: str, *, stack: bool = True) -> bytes:
    """A pickle that imports one name."""
    if not stack:
        return b"c" + f"{module}\n{name}\n.".encode()
    texts = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
    return b"\x80\x04" + texts + b"\x93."


@pytest.mark.parametrize(
    ("module", "name", "verdict"),
    [
        ("collections", "OrderedDict", "harmless"),
        ("gymnasium.spaces.box", "Box", "harmless"),
        ("stable_baselines3.common.utils", "LinearSchedule", "harmless"),
        ("stable_baselines3.common.utils", "os.system", "suspicious"),  # by way of a module that is harmless
        ("numpy", "sum", "package"),
        ("no_such_package.x", "f", "package"),
        ("builtins", "eval", "suspicious"),
        ("builtins", "getattr", "suspicious"),
        ("functools", "partial", "suspicious"),
        ("importlib", "import_module", "suspicious"),
        ("runpy", "run_path", "suspicious"),  # nowhere on a list: all of the standard library is
        ("torch", "load", "suspicious"),
        ("numpy.testing._private.utils", "runstring", "suspicious"),
        ("cloudpickle.cloudpickle", "_make_function", "code"),
    ],
)
def test_names_are_judged_one_by_one(module: str, name: str, verdict: str) -> None:
    (found,) = report_on(named(module, name))
    assert (found.name, found.verdict) == (f"{module}.{name}", verdict)


@pytest.mark.parametrize(
    ("module", "name", "modern"),
    [("__builtin__", "eval", "builtins.eval"), ("commands", "getoutput", "subprocess.getoutput")],
)
def test_names_of_python_2_mean_what_the_unpickler_makes_of_them(module: str, name: str, modern: str) -> None:
    (found,) = report_on(named(module, name, stack=False))
    assert (found.name, found.verdict) == (modern, "suspicious")


def test_a_name_that_is_put_together_elsewhere_on_the_stack_is_found() -> None:
    text = b"\x8c\x06system\x94\x30"  # memoised, then thrown away
    program = b"\x80\x04" + text + b"\x8c\x02os" + b"h\x00" + b"\x93" + b"\x8c\x04true\x85R."
    found = by_name(report_on(program))["os.system"]
    assert found.examples == ("'true'",)


def test_what_only_running_would_tell_is_suspicious() -> None:
    joined = b"\x80\x04c__builtin__\nstr\n)R\x8c\x06system\x93."  # module: the result of a call
    assert by_name(report_on(joined))["?.?"].verdict == "suspicious"
    called = b"\x80\x04ccollections\nOrderedDict\n)R)R."  # calls what a call returned
    assert max(one.verdict for one in report_on(called)) == "suspicious"
    extension = b"\x80\x02\x82\x01."
    assert report_on(extension)[0].verdict == "suspicious"


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02cos\nsystem\n(X\x02\x00\x00\x00lstR.",
        b"(X\x02\x00\x00\x00lsios\nsystem\n.",  # INST
        b"(cos\nsystem\nX\x02\x00\x00\x00lso.",  # OBJ
        b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85\x81.",  # NEWOBJ
        b"\x80\x04cos\nsystem\nX\x02\x00\x00\x00ls\x85}\x92.",  # NEWOBJ_EX
    ],
)
def test_every_way_to_call_is_seen(program: bytes) -> None:
    found = by_name(report_on(program))["os.system"]
    assert list(found.uses) in (["called"], ["made"])
    assert "'ls'" in found.examples[0]


def test_to_change_what_everybody_shares_is_suspicious() -> None:
    patched = b"\x80\x02cstable_baselines3.common.utils\nConstantSchedule\nN}U\x08__call__K\x01s\x86b."
    assert "whole program" in max(report_on(patched), key=lambda one: one.verdict).reason
    filled = b"\x80\x02cstable_baselines3.common.utils\nConstantSchedule\n)\x81}U\x03valK\x01sb."
    assert {one.verdict for one in report_on(filled)} == {"harmless"}


def test_functions_are_shown_with_what_they_name() -> None:
    def schedule(left: float) -> float:
        import subprocess

        return float(subprocess.call(["true"])) * left

    schedule.__module__ = "__main__"
    found = by_name(report_on(cloudpickle.dumps(schedule)))["code schedule"]
    assert found.verdict == "suspicious"
    assert "names subprocess" in found.reason
    limit = functools.reduce(lambda one, two: one, [lambda left: left * 0.5])
    assert by_name(report_on(cloudpickle.dumps(limit)))["code <lambda>"].verdict == "code"


def test_what_is_shown_is_short_and_no_command_to_a_terminal(tmp_path: Path) -> None:
    class Loud:
        def __reduce__(self) -> tuple[Any, ...]:
            return print, ("\x1b[2J" + "x" * 10_000, *range(1000), "\ud800")

    (found,) = report_on(pickle.dumps(Loud()))
    (example,) = found.examples
    assert len(example) < 200
    assert example.isascii()
    assert example.isprintable()
    twice = b"\x80\x02)" + b"2\x86" * 200 + b"."  # a tuple of twice itself, 200 deep
    assert report_on(twice) == []
    called = b"\x80\x02cos\nsystem\n)" + b"2\x86" * 200 + b"\x85R."
    assert len(report_on(called)[0].examples[0]) < 2_000


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_survived(content: bytes) -> None:
    for found in report_on(content):
        assert found.name.isascii()


# --- what is refused ---


def test_what_is_no_zip_of_sb3_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with zipfile.ZipFile(tmp_path / "json.zip", "w") as archive:
        archive.writestr("data", "[" * 100_000)
    for name, sentence in {
        "text.zip": "expected a zip that SB3 saved, got something else",
        "none.zip": "No such file",
        "other.zip": "got one without data or pickles",
        "json.zip": "expected JSON in data",
    }.items():
        with pytest.raises(PermaAgentError, match=sentence):
            inspect_zip(tmp_path / name)


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = with_pickle(pickle.dumps(1), tmp_path / "agent.zip")
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    with pytest.raises(PermaAgentError, match="damaged"):
        inspect_zip(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(PermaAgentError, match="something else"):
        inspect_zip(path)


@pytest.mark.parametrize("inside", [False, True])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, inside: bool) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("data.pkl", "w") as file:
        for _ in range(80):
            file.write(b"N" * (1 << 20))
    if inside:
        with zipfile.ZipFile(tmp_path / "agent.zip", "w") as archive:
            archive.write(path, "policy.pth")
        path = tmp_path / "agent.zip"
    with pytest.raises(PermaAgentError, match="zip bomb"):
        inspect_zip(path)


def test_a_zip_that_holds_zips_that_hold_zips_is_refused(tmp_path: Path) -> None:
    content = b""
    for _ in range(6):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("x.pth", content or pickle.dumps(1))
        content = outer.getvalue()
    (tmp_path / "agent.zip").write_bytes(content)
    with pytest.raises(PermaAgentError, match="zips within zips"):
        inspect_zip(tmp_path / "agent.zip")


def test_a_length_that_is_not_there_takes_no_memory() -> None:
    assert report_on(b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"x.")[0].name == "damaged pickle"


@pytest.fixture(autouse=True)
def nothing_is_unpickled(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """While a file is examined nobody may read a pickle."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a pickle was read")

    original: Callable[..., Any] = inspect_zip

    def watched(path: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            for module, name in ((pickle, "loads"), (pickle, "load"), (cloudpickle, "loads"), (torch, "load")):
                patch.setattr(module, name, refuse)
            return original(path)

    monkeypatch.setitem(request.function.__globals__, "inspect_zip", watched)
