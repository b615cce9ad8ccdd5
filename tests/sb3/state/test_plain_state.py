"""Plain state: what goes through JSON and safetensors comes back equal, and what cannot is named."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.torch import load, save

from perma_agent.continual.learner_state import NamedTensors
from perma_agent.errors import RunFolderError
from perma_agent.sb3.state.plain_state import copied, join_state, split_state

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    arrays(
        st.sampled_from([np.uint8, np.uint32, np.float64, np.bool_, np.int64]), array_shapes(min_dims=0, min_side=0)
    ),
)
states = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.", max_size=3), inner, max_size=3)
)


@given(states)
@settings(max_examples=80, deadline=None)
def test_states_come_back_equal(state: Any) -> None:
    plain, tensors = split_state(state)
    source = NamedTensors(load(save(tensors)), source="file")
    joined = join_state(json.loads(json.dumps(plain)), source)
    np.testing.assert_equal(joined, state)
    source.finish()


def test_tensors_come_back_as_tensors_and_are_copies() -> None:
    tensor = torch.arange(6).reshape(2, 3).T
    state = {"tensor": tensor, "array": np.zeros(2)}
    kept = copied(state)
    plain, tensors = split_state(state)
    tensor += 1
    state["array"] += 1  # type: ignore[operator]
    joined = join_state(plain, NamedTensors(tensors, source="file"))
    assert torch.equal(joined["tensor"], torch.arange(6).reshape(2, 3).T)
    assert torch.equal(kept["tensor"], joined["tensor"])
    np.testing.assert_array_equal(joined["array"], [0, 0])
    np.testing.assert_array_equal(kept["array"], [0, 0])


def test_what_is_not_plain_is_named() -> None:
    with pytest.raises(TypeError, match=r"in state\.a\.1, got a set"):
        split_state({"a": [1, {2}]})
    with pytest.raises(TypeError, match="expected keys of plain text in state"):
        split_state({1: 2})
    with pytest.raises(RunFolderError, match=r"expected state\.b in file, got none"):
        join_state({"$array": "state.b"}, NamedTensors({}, source="file"))
