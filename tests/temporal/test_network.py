"""The sizes all hosts share are those of a VASE that knows one environment."""

import pytest

from perma_agent.models import VASEConfig
from perma_agent.temporal import NetworkConfig


def test_sizes_reach_the_vase():
    config = NetworkConfig(channels=3, image_size=32, filters=(8, 8), hidden=16, latents=4, likelihood="gaussian")
    expected = VASEConfig(
        channels=3, image_size=32, filters=(8, 8), hidden=16, latents=4, max_environments=1, likelihood="gaussian"
    )
    assert config.vase() == expected


def test_filters_out_of_json_are_a_tuple():
    assert NetworkConfig(filters=[8, 8]).filters == (8, 8)  # type: ignore[arg-type]


def test_what_no_vase_can_have_is_refused_at_once():
    with pytest.raises(ValueError, match=r"expected an image_size divisible by 4 .*, got 30"):
        NetworkConfig(image_size=30, filters=(8, 8))
