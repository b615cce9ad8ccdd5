"""Finetuned encoder: what the policy's gradient made of it, for the learner to go on from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from perma_agent.models import VASE
from perma_agent.sb3.seeing.features_extractor import VASEFeaturesExtractor


def take_over_encoder(model: VASE, policy: nn.Module) -> None:
    """Give a model the encoder that a policy finetuned: the mean over its networks, targets left out.

        w = 1/n Σ w_i,  i = actor, critic, ...

    SB3 trains one encoder for each network that does not share it. They began as one at the last publication and are
    few steps apart, so that their mean has what each of them learnt; targets only lag behind them.

    Args:
        model: its encoder is written to; of the extractors' configuration.
        policy: with extractors in mode `finetune`.
    """
    states = [
        module.encoder.state_dict()
        for name, module in policy.named_modules()
        if isinstance(module, VASEFeaturesExtractor) and "target" not in name
    ]
    mean: dict[str, Tensor] = {name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]}
    model.encoder.load_state_dict(mean)
