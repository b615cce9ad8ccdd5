"""What levels tell of their factors is shared by copies, and nobody can write to it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from perma_agent.envs import make_level
from perma_agent.envs.factors import ToldFactors


def told() -> ToldFactors:
    return ToldFactors({"x": np.array([1.5], dtype=np.float32), "y": np.zeros(3, dtype=np.float32)})


def test_a_deep_copy_of_infos_shares_the_factors() -> None:
    infos = [{"factors": told(), "is_success": False}]
    copied = copy.deepcopy(infos)
    assert copied[0] is not infos[0]
    assert copied[0]["factors"] is infos[0]["factors"]


def test_their_arrays_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        told()["x"][0] = 0.0


def test_they_reach_another_process_as_they_are() -> None:
    there = pickle.loads(pickle.dumps(told()))
    assert type(there) is ToldFactors and there.keys() == told().keys()
    assert all(np.array_equal(there[name], told()[name]) and not there[name].flags.writeable for name in there)


def test_a_later_step_does_not_change_what_was_told_before() -> None:
    level = make_level("perma/IndoorMaze-v0")
    _, first = level.reset(seed=0)
    before = {name: values.copy() for name, values in first["factors"].items()}
    for _ in range(5):
        *_, later = level.step(0)  # turns
    level.close()
    assert later["factors"]["heading"] != first["factors"]["heading"]
    assert all(np.array_equal(first["factors"][name], values) for name, values in before.items())


def test_they_are_computed_once_and_only_when_somebody_looks() -> None:
    asked = []

    def compute() -> dict[str, np.ndarray]:
        asked.append(1)
        return {"x": np.array([1.5], dtype=np.float32)}

    lazy = ToldFactors(compute)
    info = copy.deepcopy({"factors": lazy})
    assert not asked
    assert info["factors"]["x"].item() == 1.5 and not lazy["x"].flags.writeable
    assert {**lazy}.keys() == dict(lazy).keys() == {"x"} and len(asked) == 1


PLAIN = {"x": 1.0, "y": 2.0}
LOOKS: dict[str, Callable[[Any], Any]] = {
    "in": lambda d: "y" in d,
    "equal": lambda d: (d == PLAIN, d != PLAIN, PLAIN == d, d == {"x": 1.0}),  # noqa: SIM300
    "item": lambda d: d["x"],
    "iter": lambda d: [*d],
    "reversed": lambda d: [*reversed(d)],
    "len": len,
    "true": bool,
    "or": lambda d: (d | {"z": 3.0}, {"z": 3.0} | d),
    "repr": repr,
    "copy": lambda d: d.copy(),
    "shallow": lambda d: dict(copy.copy(d)),
    "get": lambda d: (d.get("y"), d.get("z", 5.0)),
    "items": lambda d: [*d.items()],
    "keys": lambda d: [*d.keys()],
    "values": lambda d: [*d.values()],
    "keywords": lambda d: dict(**d),
    "merged": lambda d: {"a": 0.0, **d},
    "pickle": lambda d: dict(pickle.loads(pickle.dumps(d))),
    "pop": lambda d: (d.pop("x"), dict(d)),
    "update": lambda d: (d.update(z=3.0), dict(d)),
    "default": lambda d: (d.setdefault("x", 7.0), dict(d)),
    "set": lambda d: (d.__setitem__("x", 7.0), dict(d)),
    "delete": lambda d: (d.__delitem__("x"), dict(d)),
    "inplace": lambda d: d.__ior__({"z": 3.0}) == {**PLAIN, "z": 3.0},
    "popitem": lambda d: (d.popitem(), dict(d)),
    "clear": lambda d: (d.clear(), dict(d)),
}


class Number(float):
    """A float that may be told not to be written to, as arrays are."""

    def setflags(self, *, write: bool) -> None:
        assert not write


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_whoever_looks_sees_a_plain_dict(look: Callable[[Any], Any]) -> None:
    lazy = ToldFactors(lambda: {name: Number(value) for name, value in PLAIN.items()})  # type: ignore[misc]
    assert look(lazy) == look(dict(PLAIN))


@pytest.mark.parametrize("level", ["perma/IndoorForage-v0", "MiniWorld-OneRoom-v0"])
def test_what_is_looked_at_later_is_the_frame_that_was(level: str) -> None:
    env = make_level(level)
    env.reset(seed=0)
    told, then = [], []
    for action in (2, 0, 2, 2, 1, 2, 3) * 10:
        *_, info = env.step(action)
        told.append(info["factors"])
        then.append(env.unwrapped.factors())  # type: ignore[attr-defined]
    env.reset(seed=1)
    for late, at_once in zip(told, then, strict=True):
        assert late.keys() == at_once.keys()
        assert all(np.array_equal(late[name], at_once[name]) for name in late)
    env.close()
