"""One update: its objective by hand, where its gradients go and do not go, and what a refused batch leaves behind."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from perma_agent.continual import (
    DreamConfig,
    EnvironmentRecord,
    InferenceConfig,
    LatentMaskConfig,
    Learner,
    LearnerConfig,
    Marginal,
    Snapshot,
)
from perma_agent.continual.learner_state import state_of, tensors_of
from perma_agent.errors import FrameError
from perma_agent.models import VASE, VASEConfig, bfloat16_pays
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig, coarse_error, contrast
from perma_agent.types import FramePairs

LATENTS = 3
AT_ONCE = CapacityConfig(weight=0.7, warm_up=0, schedule=CapacitySchedule(nats=4.0, steps=1))
PLAIN = LearnerConfig(
    autocast=False,
    learning_rate_warm_up=0,
    gradient_limit=float("inf"),
    capacity=AT_ONCE,
    permanence=PermanenceConfig(weight=0.0),
    dreaming=DreamConfig(enabled=False),
    inference=InferenceConfig(enabled=False),
    mask=LatentMaskConfig(enabled=False),
)
"""Every switch off: CCI-VAE, with all of γ and C from the second update on."""


def new_learner(config: LearnerConfig = PLAIN, **model: Any) -> Learner:
    torch.manual_seed(0)
    shape = {"channels": 1, "image_size": 16, "filters": (4, 4), "hidden": 8, "max_environments": 3}
    return Learner(VASE(VASEConfig(**{**shape, "latents": LATENTS, **model})), config)


def pairs(seed: int = 0, *, count: int = 4) -> FramePairs:
    frames = np.random.default_rng(seed).integers(0, 256, (2, count, 1, 16, 16), dtype=np.uint8)
    return FramePairs(frames[0], frames[1], np.ones(count, dtype=np.int64))


def settled_record(*, used: list[int], masked: list[int] | None = None) -> EnvironmentRecord:
    record = EnvironmentRecord.new(LATENTS)
    record.steps, record.settled, record.error, record.error_squared = 1000, True, 1e6, 1e12
    record.used[used] = True
    record.mask[masked or []] = False
    return record


def second_environment(config: LearnerConfig) -> Learner:
    """In environment 1, which masks latent 0 because environment 0 uses it; the teacher dreams of environment 0."""
    learner = new_learner(config)
    learner.inference.records = [settled_record(used=[0]), settled_record(used=[1], masked=[0])]
    learner.inference.current = 1
    learner.snapshot = Snapshot.take(learner.model, learner.inference.records[:1])
    return learner


def without_witness(learner: Learner) -> Learner:
    """The batch last learnt from, which is as strange as all that these tests show, is not asked."""
    learner._control = lambda: None
    return learner


def gradients(learner: Learner) -> dict[str, torch.Tensor | None]:
    named = learner.model.named_parameters()
    return {name: None if value.grad is None else value.grad.clone() for name, value in named}


def everything(learner: Learner) -> dict[str, Any]:
    tensors = {**tensors_of(learner), **learner.model.state_dict()}
    return {**{name: value.clone() for name, value in tensors.items()}, "numbers": str(state_of(learner))}


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(
        value == second[name] if isinstance(value, str) else torch.equal(value, second[name])
        for name, value in first.items()
    )


def by_hand(model: VASE, learner: Learner, batch: FramePairs) -> tuple[torch.Tensor, torch.Tensor]:
    """Reconstruction error and information, each summed over pixels and latents, of one batch with its noise."""
    generator = torch.Generator()
    generator.set_state(learner.generator.get_state())
    frames = torch.from_numpy(np.concatenate([batch.frames, batch.earlier])).float() / 255
    posterior = model.encode(frames).posterior
    z = posterior.mean + (posterior.log_variance / 2).exp() * torch.randn(posterior.mean.shape, generator=generator)
    drawn = model.decode(z, 0)  # the sample that the inference looks at is the one that is decoded
    if model.config.likelihood == "gaussian":
        error = ((drawn - frames) ** 2).sum(dim=(1, 2, 3)) / (2 * 0.3**2)
    else:
        error = -(frames * drawn.sigmoid().log() + (1 - frames) * (1 - drawn.sigmoid()).log()).sum(dim=(1, 2, 3))
    prior = Normal(0.0, 1.0)
    return error, kl_divergence(Normal(posterior.mean, (posterior.log_variance / 2).exp()), prior).sum(dim=1)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("disentangled", [True, False])
def test_with_all_switches_off_it_is_cci_vae_or_beta_vae(likelihood: str, disentangled: bool) -> None:
    capacity = replace(AT_ONCE, disentangled=disentangled, beta=2.5)
    learner = new_learner(replace(PLAIN, capacity=capacity), likelihood=likelihood)
    learner.update(pairs(0))  # γ and C are in force after one step
    model = copy.deepcopy(learner.model)
    error, information = by_hand(model, learner, pairs(1))
    # CCI-VAE: E[error] + γ (E[KL] - C)²;  β-VAE: E[error] + β E[KL]
    charge = 0.7 * (information.mean() - 4.0) ** 2 if disentangled else 2.5 * information.mean()
    loss = error.mean() + charge
    loss.backward()
    metrics = learner.update(pairs(1)).metrics
    for name, value in learner.model.named_parameters():
        expected = dict(model.named_parameters())[name].grad
        torch.testing.assert_close(value.grad, expected, rtol=1e-3, atol=1e-4)
    assert metrics["capacity/used"] == pytest.approx(float(information.mean().detach()), rel=1e-5)
    assert metrics["loss/total"] - metrics["loss/reconstruction"] == pytest.approx(float(charge.detach()), rel=1e-2)
    if likelihood == "gaussian":  # the Bernoulli error is short of the frames' own entropy, which has no gradient
        assert metrics["loss/total"] == pytest.approx(float(loss.detach()), rel=1e-5)


def test_a_permanence_of_weight_0_leaves_the_gradients_untouched() -> None:
    first, second = (new_learner(replace(PLAIN, permanence=PermanenceConfig(weight=0.0, b=b))) for b in (0.1, 9.0))
    third = new_learner(replace(PLAIN, permanence=PermanenceConfig(weight=5.0, warm_up=0)))
    for learner in (first, second, third):
        learner.update(pairs())
    learnt = [gradients(learner)["encoder.mean.weight"] for learner in (first, second, third)]
    assert torch.equal(learnt[0], learnt[1]) and not torch.equal(learnt[0], learnt[2])


@pytest.mark.parametrize("dreaming", [False, True])
def test_a_masked_latent_gets_no_gradient_but_from_dreams(dreaming: bool) -> None:
    config = replace(
        PLAIN, permanence=PermanenceConfig(warm_up=0), mask=LatentMaskConfig(), inference=InferenceConfig()
    )
    learner = second_environment(replace(config, dreaming=DreamConfig(enabled=dreaming, count=4)))
    for parameter in learner.snapshot.model.parameters():
        parameter.mul_(1.1)  # the teacher is of another opinion
    update = learner.update(pairs())
    assert (update.environment, update.mask.tolist()) == (1, [False, True, True])
    learnt = gradients(learner)
    for head in ("mean", "log_variance"):
        rows = learnt[f"encoder.{head}.weight"].abs().sum(dim=1), learnt[f"encoder.{head}.bias"].abs()
        for row in rows:
            assert (float(row[0]) > 0) == dreaming and float(row[1:].min()) > 0


def test_the_snapshot_is_not_taught() -> None:
    learner = second_environment(replace(PLAIN, dreaming=DreamConfig(count=4)))
    teacher = copy.deepcopy(learner.snapshot.model.state_dict())
    for seed in range(3):
        assert "loss/decoder_proximity" in learner.update(pairs(seed)).metrics
    assert all(parameter.grad is None for parameter in learner.snapshot.model.parameters())
    assert all(torch.equal(value, teacher[name]) for name, value in learner.snapshot.model.state_dict().items())


def test_the_classifier_learns_and_the_encoder_does_not_hear_of_it() -> None:
    config = replace(PLAIN, gradient_limit=1.001)
    quiet, loud = (second_environment(replace(config, environment_weight=weight)) for weight in (0.0, 1e4))
    for learner in (quiet, loud):
        for seed in range(6):  # its gradients do not even count for what is usual
            learner.update(pairs(seed))
    first, second = gradients(quiet), gradients(loud)
    assert not first["environment_head.weight"].any() and second["environment_head.weight"].any()
    assert all(torch.equal(first[name], second[name]) for name in first if name.startswith("encoder."))


@pytest.mark.parametrize("dreaming", [False, True])
def test_the_classifier_is_told_where_frames_and_dreams_come_from(dreaming: bool) -> None:
    learner = second_environment(replace(PLAIN, dreaming=DreamConfig(enabled=dreaming, count=4)))
    with torch.no_grad():  # q(s|x) = ¼, ¾ whatever is shown; the third environment is not known yet
        learner.model.environment_head.weight.zero_()
        learner.model.environment_head.bias.copy_(torch.tensor([0.0, np.log(3), 50.0]))
    present, past = np.log(4 / 3), np.log(4)  # of environment 1 and, if dreamt of, of environment 0
    loss = learner.update(pairs()).metrics["loss/environment"]
    assert loss == pytest.approx((present + past) / 2 if dreaming else present, rel=1e-5)


def test_the_same_seed_learns_the_same_and_global_randomness_is_left_alone() -> None:
    config = LearnerConfig(autocast=False, inference=InferenceConfig(burn_in=2), dreaming=DreamConfig(renew_every=2))
    before = {name: value.copy() for name, value in _numpy_state().items()}
    first, second = new_learner(config), new_learner(config)
    other = new_learner(replace(config, seed=1))
    torch_before = torch.get_rng_state()
    updates = [[learner.update(pairs(seed)).metrics for seed in range(4)] for learner in (first, second, other)]
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert all(np.array_equal(value, before[name]) for name, value in _numpy_state().items())
    assert str(updates[0]) == str(updates[1]) != str(updates[2])
    assert same(everything(first), everything(second)) and not same(everything(first), everything(other))


def _numpy_state() -> dict[str, np.ndarray]:
    state = np.random.get_state(legacy=False)["state"]  # noqa: NPY002  # whether anybody draws from it
    return {"key": state["key"], "pos": np.array(state["pos"])}


def test_a_batch_that_surprises_is_not_learnt_from() -> None:
    learner = without_witness(new_learner(replace(PLAIN, inference=InferenceConfig(patience=2))))
    learner.update(pairs(0))
    learner.inference.records[0] = settled_record(used=[])
    learner.inference.records[0].error = 1e-3  # everything is worse than that
    learner.inference.records[0].error_squared = 1e-6
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    update = learner.update(pairs(1))
    assert update.environment is None and learner.step == update.step == 2
    assert not [name for name in update.metrics if name.startswith("loss/")]
    assert all(torch.equal(value, before[name]) for name, value in learner.model.state_dict().items())
    assert learner.inference.records[0].steps == 1000
    assert learner.update(pairs(2)).opened and not same(before, learner.model.state_dict())


@pytest.mark.parametrize("shape", [(4, 1, 32, 32), (4, 3, 16, 16), (0, 1, 16, 16)])
def test_a_refused_batch_leaves_the_learner_as_it_was(shape: tuple[int, ...]) -> None:
    learner = new_learner(LearnerConfig(autocast=False))
    learner.model.eval()
    learner.update(pairs())
    assert learner.model.training
    learner.model.eval()
    before = everything(learner)
    frames = np.zeros(shape, dtype=np.uint8)
    with pytest.raises(FrameError, match=r"^expected "):
        learner.update(FramePairs(frames, frames, np.ones(shape[0], dtype=np.int64)))
    assert same(everything(learner), before) and learner.step == 1 and not learner.model.training


def test_frames_may_be_read_only_or_flipped() -> None:
    plain, batch = new_learner(), pairs()
    frozen = FramePairs(batch.frames.copy(), batch.earlier.copy(), batch.offsets)
    frozen.frames.flags.writeable = frozen.earlier.flags.writeable = False
    assert plain.update(batch).metrics == new_learner().update(frozen).metrics
    flipped = FramePairs(batch.frames[..., ::-1], batch.earlier[..., ::-1], batch.offsets)
    copied = FramePairs(flipped.frames.copy(), flipped.earlier.copy(), batch.offsets)
    assert new_learner().update(flipped).metrics == new_learner().update(copied).metrics


def test_one_pair_is_enough() -> None:
    assert new_learner(LearnerConfig(autocast=False)).update(pairs(count=1)).environment == 0


ALWAYS = {
    *("loss/total", "loss/reconstruction", "capacity/granted", "capacity/used"),
    *("environment/index", "environment/count", "environment/pending", "latents/masked", "latents/atypicality_max"),
}
DREAMING = {"loss/encoder_proximity", "loss/decoder_proximity"}


def test_names_of_the_metrics() -> None:
    assert set(new_learner().update(pairs()).metrics) == ALWAYS | {"loss/capacity"}
    entangled = replace(PLAIN, capacity=CapacityConfig(disentangled=False))
    assert set(new_learner(entangled).update(pairs()).metrics) == ALWAYS | {"loss/information"}
    full = second_environment(LearnerConfig(autocast=False))
    tested = {"loss/permanence", "loss/capacity", "loss/environment", "environment/error", "environment/limit"}
    assert set(full.update(pairs()).metrics) == ALWAYS | DREAMING | tested


def test_frames_without_time_say_nothing_of_change() -> None:
    together = np.concatenate([pairs().frames, pairs().earlier])
    unpaired = new_learner(replace(PLAIN, permanence=PermanenceConfig(weight=5.0, warm_up=0)))
    update = unpaired.update(FramePairs.unpaired(together))
    assert "loss/permanence" not in update.metrics
    assert update.metrics == new_learner().update(pairs()).metrics  # as if they were pairs and permanence off


def test_the_batch_last_learnt_from_is_the_witness_of_the_model() -> None:
    learner = new_learner(replace(PLAIN, inference=InferenceConfig(patience=1)))
    learner.update(pairs(0))
    learner.inference.records[0] = settled_record(used=[])
    learner.inference.records[0].error, learner.inference.records[0].error_squared = 1e-3, 1e-6
    update = learner.update(pairs(1))  # errs as pairs(0) does: the model is to blame
    assert update.environment == 0 and update.metrics["environment/limit"] > update.metrics["environment/error"]


def test_listeners_hear_every_update() -> None:
    learner, heard = new_learner(), []
    learner.on_update += [heard.append, lambda update: heard.append(update.step)]
    updates = [learner.update(pairs(seed)) for seed in range(2)]
    assert heard == [updates[0], 1, updates[1], 2]


def test_the_learning_rate_rises_anew_with_each_environment() -> None:
    config = replace(PLAIN, learning_rate=0.01, environment_learning_rate=0.1, learning_rate_warm_up=4)
    learner = without_witness(second_environment(replace(config, inference=InferenceConfig(patience=1))))
    rates = []
    for step in range(7):
        if step == 5:  # from here on only environment 0 explains anything
            learner.inference.records[1].error = learner.inference.records[1].error_squared = 1e-6
        learner.update(pairs(step))
        rates.append([group["lr"] for group in learner.optimizer.param_groups])
    # rises by quarters, holds, and begins anew when environment 0 returns
    assert np.allclose(rates, np.outer([0.25, 0.5, 0.75, 1, 1, 0.25, 0.5], [0.01, 0.1]))
    assert learner.environment == 0


def test_a_new_environment_begins_with_the_capacity_it_already_carries() -> None:
    learner = without_witness(second_environment(replace(PLAIN, inference=InferenceConfig(patience=1))))
    learner.update(pairs())
    for record in learner.inference.records:
        record.error = record.error_squared = 1e-6
    update = learner.update(pairs())
    assert update.opened and update.environment == 2
    assert learner.inference.records[2].opening_information == pytest.approx(update.metrics["capacity/used"])
    assert update.metrics["capacity/granted"] == pytest.approx(min(4.0, update.metrics["capacity/used"]))


def test_an_environment_settles_after_its_burn_in() -> None:
    learner = new_learner(replace(PLAIN, inference=InferenceConfig(burn_in=6, enabled=False)))
    settled, observed = [], []
    for seed in range(7):
        learner.update(pairs(seed))
        record = learner.inference.records[0]
        settled.append(record.settled)
        observed.append(record.observed)
    assert settled == [False] * 5 + [True] * 2
    assert observed == [0, 0, 0, 1, 2, 3, 4]  # the first half, in which all still changes, is left out


def test_what_a_settled_environment_remembers_are_coarse_errors_and_samples() -> None:
    learner, twin = new_learner(replace(PLAIN, inference=InferenceConfig(burn_in=1, enabled=False))), new_learner()
    learner.update(pairs())
    record, generator = learner.inference.records[0], torch.Generator().manual_seed(0)
    frames = torch.from_numpy(np.concatenate([pairs().frames, pairs().earlier])).float() / 255
    posterior = twin.model.encode(frames).posterior.detach()
    samples = posterior.sample(generator)
    expected = Marginal.of(samples)
    torch.testing.assert_close(record.marginal.mean, expected.mean)
    torch.testing.assert_close(record.marginal.covariance, expected.covariance)
    drawn = twin.model.reconstruct(samples, 0).detach()
    errors = coarse_error(drawn, frames, block=4)
    assert (record.error, record.error_squared) == pytest.approx((float(errors.mean()), float(errors.pow(2).mean())))
    assert record.contrast == pytest.approx(float(contrast(frames, block=4).mean()))


def test_the_snapshot_is_taken_when_an_environment_ends_and_no_sooner() -> None:
    config = replace(PLAIN, inference=InferenceConfig(patience=1), dreaming=DreamConfig(count=2))
    learner = without_witness(second_environment(config))
    teacher = learner.snapshot
    learner.update(pairs(0))
    assert learner.snapshot is teacher
    learner.inference.records[1].error = learner.inference.records[1].error_squared = 1e-6
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    assert learner.update(pairs(1)).environment == 0
    assert learner.snapshot is not teacher and list(learner.snapshot.marginals) == [0, 1]
    assert same(before, learner.snapshot.model.state_dict())  # as the model was before it learnt from this batch


def test_the_snapshot_can_be_renewed_by_the_clock() -> None:
    config = replace(PLAIN, inference=InferenceConfig(burn_in=4), dreaming=DreamConfig(count=2, renew_every=3))
    learner, taken = new_learner(config), []
    for seed in range(6):
        learner.update(pairs(seed))
        taken.append(learner.snapshot)
    assert taken[:2] == [None, None] and taken[2] is taken[3] is taken[4] and taken[5] is not taken[2]
    assert list(taken[2].marginals) == [] and list(taken[5].marginals) == [0]  # nothing had settled at step 3


@pytest.mark.parametrize("enabled", [True, False])
def test_where_no_environment_can_end_the_clock_renews_the_snapshot(enabled: bool) -> None:
    learner = new_learner(replace(PLAIN, inference=InferenceConfig(enabled=enabled)))
    learner.step = 4_999
    learner.update(pairs())
    assert (learner.snapshot is not None) == (not enabled)


def test_what_an_unsettled_environment_uses_is_not_known() -> None:
    learner = new_learner(replace(PLAIN, dreaming=DreamConfig(renew_every=1)))
    with torch.no_grad():
        learner.model.decoder.hidden.weight.mul_(100)  # every latent matters
    learner.update(pairs())
    assert not learner.inference.records[0].used.any()


def test_used_latents_are_those_that_tolerate_no_noise() -> None:
    learner = new_learner(replace(PLAIN, inference=InferenceConfig(burn_in=1, enabled=False), learning_rate=1e-9))
    with torch.no_grad():
        learner.model.decoder.hidden.weight[:, :LATENTS] *= torch.tensor([1000.0, 0.0, 1000.0])
    learner.update(pairs())
    record = learner.inference.records[0]
    assert record.used.tolist() == record.compared.tolist() == [True, False, True]


def test_what_tolerates_some_noise_is_compared_though_not_used() -> None:
    config = InferenceConfig(burn_in=1, enabled=False, used_below=1 / 32)  # no noise tried is smaller
    learner = new_learner(replace(PLAIN, inference=config, learning_rate=1e-9))
    with torch.no_grad():
        learner.model.decoder.hidden.weight[:, :LATENTS] *= torch.tensor([1000.0, 0.0, 1000.0])
    learner.update(pairs())
    record = learner.inference.records[0]
    assert not record.used.any() and record.compared.tolist() == [True, False, True]


def test_autocast_is_bfloat16_where_that_pays() -> None:
    assert new_learner(LearnerConfig())._autocast == bfloat16_pays()
    update = new_learner(replace(PLAIN, autocast=True)).update(pairs())
    assert update.metrics["loss/total"] == pytest.approx(new_learner().update(pairs()).metrics["loss/total"], rel=0.02)


@pytest.mark.parametrize("wrong", [{"learning_rate": 0.0}, {"learning_rate": float("nan")}, {"gradient_limit": 1.0}])
def test_bad_configuration(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"^expected learning_rate > 0 and gradient_limit > 1, got "):
        LearnerConfig(**wrong)


@pytest.mark.gpu
def test_on_an_accelerator() -> None:
    config = replace(PLAIN, inference=InferenceConfig(burn_in=2), dreaming=DreamConfig(count=2, renew_every=2))
    learner = new_learner(config)
    learner = Learner(learner.model.to("cuda"), config)
    assert [learner.update(pairs(seed)).environment for seed in range(4)] == [0, 0, 0, 0]
