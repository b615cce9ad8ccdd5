"""A host's folder: every arm comes back as it was, and what does not fit is refused in one sentence."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.errors import RunFolderError
from perma_agent.temporal import HOSTS, NetworkConfig, PairVAEConfig, codes, load_host, make_host, save_host

FILES = ("host.json", "host.safetensors")


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_every_arm_comes_back_as_it_was(name, network, pairs, tmp_path):
    host = make_host(HOSTS[name][0](network=network), seed=3)
    save_host(host, tmp_path / "host")
    again = load_host(tmp_path / "host")
    assert type(again) is type(host)
    assert again.config == host.config
    assert not again.training
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in host.state_dict().items())
    assert np.array_equal(codes(again, pairs.frames), codes(host, pairs.frames))


def test_a_frozen_head_is_frozen_again(network, tmp_path):
    save_host(make_host(PairVAEConfig(network=network)), tmp_path)
    assert not load_host(tmp_path).vase.environment_head.weight.requires_grad


def test_a_host_replaces_a_host(network, tmp_path):
    save_host(make_host(PairVAEConfig(network=network, beta=2.0)), tmp_path)
    save_host(make_host(PairVAEConfig(network=network, beta=3.0)), tmp_path)
    assert load_host(tmp_path).config.beta == 3.0


def test_an_altered_file_is_noticed(network, tmp_path):
    save_host(make_host(PairVAEConfig(network=network)), tmp_path)
    with (tmp_path / "host.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(RunFolderError, match=r"expected host.safetensors .* got it altered"):
        load_host(tmp_path)


def test_parameters_of_another_network_are_refused(network, tmp_path):
    save_host(make_host(PairVAEConfig(network=network)), tmp_path)
    contents = read_files(tmp_path, FILES)
    config = json.loads(contents["host.json"])
    config["config"]["network"]["latents"] = 5
    write_files(tmp_path, {**contents, "host.json": json.dumps(config).encode()})
    with pytest.raises(RunFolderError, match=r"expected the parameters of the host that .* got others"):
        load_host(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "expected JSON in"),
        (b"[]", "expected a host among pair-vae, .* got None"),
        (b'{"kind": "gan"}', "expected a host among pair-vae, .* got 'gan'"),
        (b'{"kind": "ada-gvae", "config": {"beta": 1.0}}', "got missing 'network'"),
    ],
)
def test_a_foreign_config_is_refused(network, tmp_path, content, complaint):
    save_host(make_host(PairVAEConfig(network=network)), tmp_path)
    contents = read_files(tmp_path, FILES)
    write_files(tmp_path, {**contents, "host.json": content})
    with pytest.raises(RunFolderError, match=complaint):
        load_host(tmp_path)


def test_a_folder_without_a_host_is_refused(tmp_path):
    with pytest.raises(RunFolderError, match="expected a run folder"):
        load_host(tmp_path)


def test_every_config_has_defaults_and_a_network():
    for config, _ in HOSTS.values():
        assert {field.name for field in dataclasses.fields(config)} >= {"network"}
        assert config().network == NetworkConfig()
