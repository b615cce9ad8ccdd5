"""The decoder: the encoder's sizes in reverse, and a drawing that depends on the environment's index."""

from __future__ import annotations

import torch
from torch import nn

from perma_agent.models.decoder import Decoder


def small_decoder() -> Decoder:
    torch.manual_seed(0)
    return Decoder(channels=3, image_size=16, filters=(4, 8), hidden=12, latents=3, max_environments=5)


def test_sizes() -> None:
    decoder = small_decoder()
    deconvolutions = [layer for layer in decoder.deconvolutions if isinstance(layer, nn.ConvTranspose2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in deconvolutions] == [(8, 4), (4, 3)]
    assert (decoder.hidden.in_features, decoder.hidden.out_features) == (3 + 5, 12)
    assert decoder.unflattened.out_features == 8 * 4 * 4
    assert decoder(torch.randn(2, 3), torch.tensor([0, 4])).shape == (2, 3, 16, 16)


def test_output_is_a_raw_number_of_either_sign() -> None:
    output = small_decoder()(torch.randn(8, 3), torch.zeros(8, dtype=torch.int64))
    assert (output < 0).any() and (output > 0).any()


def test_the_index_enters_as_its_own_column() -> None:
    # One-hot: environment s adds column 3 + s of the first layer, and nothing of the other environments.
    decoder, latents = small_decoder(), torch.randn(1, 3)
    with torch.no_grad():
        decoder.hidden.weight[:, 3 + 2] = decoder.hidden.weight[:, 3 + 1]
        drawn = [decoder(latents, torch.tensor([s])) for s in range(5)]
    assert torch.equal(drawn[1], drawn[2])
    assert not torch.allclose(drawn[0], drawn[1])


def test_each_environment_teaches_its_own_column_only() -> None:
    decoder = small_decoder()
    decoder(torch.randn(4, 3), torch.tensor([1, 1, 3, 1])).sum().backward()
    taught = decoder.hidden.weight.grad[:, 3:].abs().sum(dim=0) > 0
    assert taught.tolist() == [False, True, False, True, False]
