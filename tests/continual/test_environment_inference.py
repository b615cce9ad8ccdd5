"""Environment inference, driven by scripted evidence: surprise, patience, return, oblivion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.continual.environment_inference import EnvironmentInference, Evidence, Verdict
from perma_agent.continual.environment_record import EnvironmentRecord, InferenceConfig
from perma_agent.continual.latent_mask import LatentMaskConfig, Marginal

LATENTS = 3
FITS, SURPRISES = 10.0, 16.0
"""Errors below and above the limit of a settled environment here, which is κ · 10 = 15 nats."""


def settled_record(*, used: Sequence[int] = (0,)) -> EnvironmentRecord:
    record = EnvironmentRecord.new(LATENTS)
    record.steps, record.settled, record.error, record.error_squared, record.contrast = 300, True, 10.0, 100.0, 50.0
    record.used[list(used)] = record.compared[list(used)] = True
    return record


def inference(settled: int = 1, *, current: int = 0, patience: int = 3, **config: Any) -> EnvironmentInference:
    made = EnvironmentInference(
        latents=LATENTS,
        max_environments=config.pop("max_environments", 4),
        mask_config=LatentMaskConfig(enabled=config.pop("masks", True)),
        config=InferenceConfig(patience=patience, **config),
    )
    made.records = [settled_record() for _ in range(settled)]
    made.current = current
    return made


def evidence(
    *errors: float,
    guess: int = 0,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    contrast: float = 50.0,
    control: Evidence | None = None,
) -> Evidence:
    """A batch that errs by `errors` under each environment, which q(s|x) takes for `guess`; latents about `mean`."""
    probabilities = torch.full((len(errors),), 0.1)
    if errors:
        probabilities[guess] = 0.9
    return Evidence(
        marginal=Marginal(torch.tensor(mean), torch.eye(LATENTS)),
        probabilities=probabilities,
        contrast=contrast,
        error_under=lambda environment: errors[environment],
        control=lambda: control,
    )


def environments(made: EnvironmentInference, batches: Sequence[Evidence]) -> list[int | None]:
    return [made.decide(batch).environment for batch in batches]


def test_the_first_batch_opens_environment_0() -> None:
    made = inference(0)
    made.current = None
    assert made.mask.tolist() == [True] * LATENTS
    verdict = made.decide(evidence())
    assert (verdict.environment, verdict.opened, verdict.returned, verdict.left) == (0, True, False, None)
    assert len(made.records) == 1 and not made.records[0].settled


def test_what_fits_is_of_the_present_environment() -> None:
    verdict = inference(2, current=1).decide(evidence(SURPRISES, FITS, guess=1))
    assert verdict == Verdict(environment=1, error=FITS, limit=15.0)


def test_nothing_surprises_during_burn_in() -> None:
    made = inference(0)
    made.records, made.current = [EnvironmentRecord.new(LATENTS)], 0
    assert environments(made, [evidence(1e6, mean=(9, 9, 9))] * 10) == [0] * 10


def test_patience_then_a_new_environment() -> None:
    made = inference(patience=3)
    verdicts = [made.decide(evidence(SURPRISES)) for _ in range(3)]
    assert [v.environment for v in verdicts] == [None, None, 1]
    assert [v.opened for v in verdicts] == [False, False, True]
    assert (verdicts[2].left, verdicts[2].returned) == (0, False)
    assert {(v.error, v.limit, v.contradicting) for v in verdicts} == {(SURPRISES, 15.0, 0)}
    assert made.current == 1 and made.pending is None and made.pending_batches == 0


def test_an_ordinary_batch_ends_the_suspicion() -> None:
    made = inference(patience=3)
    batches = [evidence(SURPRISES)] * 2 + [evidence(FITS)] + [evidence(SURPRISES)] * 3
    assert environments(made, batches) == [None, None, 0, None, None, 1]


def test_suspicion_of_another_environment_begins_anew() -> None:
    made = inference(2, patience=2)
    new, other = evidence(SURPRISES, SURPRISES), evidence(SURPRISES, FITS, guess=1)
    assert environments(made, [new, other, new, other, other]) == [None, None, None, None, 1]
    assert len(made.records) == 2


def test_return_as_the_classifier_says() -> None:
    made = inference(2, current=1, patience=2)
    verdicts = [made.decide(evidence(FITS, FITS, guess=0)) for _ in range(2)]
    assert [v.environment for v in verdicts] == [None, 0]
    assert (verdicts[1].returned, verdicts[1].opened, verdicts[1].left) == (True, False, 1)


def test_return_by_what_would_be_drawn_where_the_classifier_errs() -> None:
    made = inference(3, current=2, patience=1)
    verdict = made.decide(evidence(SURPRISES, FITS, SURPRISES, guess=2))
    assert (verdict.environment, verdict.returned, len(made.records)) == (1, True, 3)


def test_the_classifier_goes_first() -> None:
    asked = []
    batch = evidence(FITS, FITS, guess=1)
    spied = Evidence(
        marginal=batch.marginal,
        probabilities=batch.probabilities,
        contrast=batch.contrast,
        error_under=lambda environment: asked.append(environment) or FITS,
    )
    assert inference(2, current=0, patience=1).decide(spied).environment == 1
    assert asked == [1]  # the others are not even drawn


def test_a_short_visit_is_forgotten_and_its_index_used_again() -> None:
    made = inference(1, patience=1)
    assert made.decide(evidence(SURPRISES)).environment == 1
    short_lived = made.records[1]
    back = made.decide(evidence(FITS, 99.0, guess=0))
    assert (back.environment, back.returned, back.left, len(made.records)) == (0, True, None, 1)
    again = made.decide(evidence(SURPRISES))
    assert (again.environment, again.opened, again.left) == (1, True, 0)
    assert made.records[1] is not short_lived


def test_burn_in_is_left_only_for_what_explains_the_batch() -> None:
    made = inference(1, patience=1)
    made.decide(evidence(SURPRISES))
    assert made.decide(evidence(SURPRISES, 99.0, guess=0)).environment == 1  # so q(s|x) says, but 0 errs
    assert made.decide(evidence(FITS, 99.0, guess=1)).environment == 1  # 0 would do, but nobody says so


def test_with_all_in_use_the_best_is_taken() -> None:
    made = inference(2, patience=1, max_environments=2)
    made.records[1].error = 100.0  # its limit is 150: 160 is nearer to that than 20 is to 15
    made.records[1].error_squared = 100.0**2
    assert made.decide(evidence(20.0, 160.0, guess=0)).environment == 1
    assert len(made.records) == 2


def test_latents_in_use_can_refuse_what_the_error_accepts() -> None:
    # α of a mean shifted by 2 is 2 nats, beyond λ_1 = .8; latent 0 is compared, latent 1 is not
    made = inference(patience=1)
    made.records[0].used[:] = False  # which latents may be masked elsewhere is another question
    assert made.decide(evidence(FITS, mean=(0, 2, 0))).contradicting == 0
    verdict = made.decide(evidence(FITS, mean=(2, 2, 0)))
    assert (verdict.environment, verdict.contradicting, verdict.opened) == (1, 1, True)
    assert inference(patience=1, masks=False).decide(evidence(FITS, mean=(2, 2, 0))).environment == 0


def test_disabled_everything_is_environment_0() -> None:
    made = inference(0, enabled=False, patience=1)
    made.current = None
    assert made.decide(evidence()).environment == 0
    made.records[0] = settled_record()
    assert environments(made, [evidence(1e6, mean=(9, 9, 9))] * 9) == [0] * 9


@pytest.mark.parametrize(
    ("squared", "kappa", "spread", "limit"),
    [
        (100.0, 1.5, 1.0, 15.0),  # frames all alike: κ · 10
        (125.0, 1.5, 1.0, 15.0),  # deviation 5: 10 + 5 is no more
        (125.0, 1.5, 2.0, 20.0),
        (99.0, 1.2, 1.0, 12.0),  # rounding below zero is zero
    ],
)
def test_limit(squared: float, kappa: float, spread: float, limit: float) -> None:
    record = EnvironmentRecord.new(LATENTS)
    record.error, record.error_squared = 10.0, squared
    record.contrast = 50.0
    config = InferenceConfig(kappa=kappa, spread=spread)
    assert record.limit(config, contrast=1e3) == pytest.approx(limit)


@pytest.mark.parametrize(
    ("contrast", "limit"),
    [
        (50.0, 15.0),  # as usual: κ · 10
        (99.0, 15.0),  # more to explain is no excuse
        (40.0, 12.0),  # κ · 10 · 40 / 50: the share of the contrast that is left unexplained counts
        (20.0, 10.0),  # but what errs no more than usual never surprises
        (0.0, 10.0),
    ],
)
def test_the_limit_follows_the_contrast_down(contrast: float, limit: float) -> None:
    assert settled_record().limit(InferenceConfig(), contrast=contrast) == pytest.approx(limit)


def test_a_dark_environment_is_told_by_the_share_it_leaves_unexplained() -> None:
    assert inference(patience=1).decide(evidence(12.0)).environment == 0
    verdict = inference(patience=1).decide(evidence(12.0, contrast=30.0))
    assert (verdict.environment, verdict.opened, verdict.limit) == (1, True, 10.0)


def test_a_model_that_lost_its_way_is_not_a_new_environment() -> None:
    # The batch last learnt from errs by 16 as well, so the limit is κ · 16 now
    made = inference(patience=1)
    verdict = made.decide(evidence(SURPRISES, control=evidence(SURPRISES)))
    assert (verdict.environment, verdict.limit) == (0, pytest.approx(24.0))
    assert made.decide(evidence(SURPRISES, control=evidence(FITS))).environment == 1


def test_a_latent_that_moved_for_the_last_batch_too_speaks_against_nothing() -> None:
    made = inference(patience=1)
    moved = (3.0, 0.0, 0.0)
    assert made.decide(evidence(FITS, mean=moved, control=evidence(FITS, mean=moved))).environment == 0
    assert made.decide(evidence(FITS, mean=moved, control=evidence(FITS))).environment == 1


def test_a_latent_that_had_nearly_moved_for_the_last_batch_must_move_farther_than_that_to_speak() -> None:
    # α = m² / 2 against N(0, 1): the witness has .72, just below λ_1 = .8, and a batch's 1.28 is within .8 of that
    made = inference(patience=1)
    witness = evidence(FITS, mean=(1.2, 0.0, 0.0))
    assert made.decide(evidence(FITS, mean=(1.6, 0.0, 0.0), control=witness)).environment == 0
    assert made.decide(evidence(FITS, mean=(1.6, 0.0, 0.0), control=evidence(FITS))).environment == 1
    made = inference(patience=1)
    assert made.decide(evidence(FITS, mean=(2.0, 0.0, 0.0), control=witness)).environment == 1  # 2.0 - .72


def test_the_last_batch_is_no_witness_for_another_environment() -> None:
    made = inference(2, current=1, patience=1)
    witness = evidence(SURPRISES, SURPRISES)
    assert made.decide(evidence(SURPRISES, SURPRISES, guess=0, control=witness)).environment == 1
    made = inference(2, current=1, patience=1, max_environments=2)
    assert made.decide(evidence(SURPRISES, 99.0, guess=0, control=witness)).environment == 0


def test_running_means_by_hand() -> None:
    # The first batch counts whole, the second half, and from 1/(1 - memory) = 2 batches on always half.
    record = EnvironmentRecord.new(1)
    for errors, mean in (([2.0, 4.0], 0.0), ([5.0, 5.0], 2.0), ([8.0, 8.0], 5.0)):
        record.observe(
            torch.tensor(errors), Marginal(torch.tensor([mean]), torch.tensor([[1.0]])), contrast=2 * mean, memory=0.5
        )
    assert record.observed == 3
    assert record.error == pytest.approx(6.0)  # 3 → 4 → 6
    assert record.contrast == pytest.approx(6.0)  # 0 → 2 → 6
    assert record.error_squared == pytest.approx(40.75)  # 10 → 17.5 → 40.75
    assert record.marginal.mean.tolist() == [3.0]  # 0 → 1 → 3
    # Variance 1 each and of means 0 and 2 about 1: 1 + 1 = 2; then ½ 2 + ½ 1 + ¼ (5 - 1)² = 5.5
    assert record.marginal.variance.tolist() == [5.5]


def test_a_long_memory_pools_all_batches() -> None:
    batches = torch.randn(7, 5, LATENTS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    record = EnvironmentRecord.new(LATENTS)
    for batch in batches:
        covariance = torch.cov(batch.T, correction=0)
        record.observe(torch.ones(5), Marginal(batch.mean(dim=0), covariance), contrast=1.0, memory=0.999)
    pooled = batches.reshape(-1, LATENTS)
    torch.testing.assert_close(record.marginal.mean, pooled.mean(dim=0))
    torch.testing.assert_close(record.marginal.covariance, torch.cov(pooled.T, correction=0))


@pytest.mark.parametrize("mean", [0.0, 10.0, 50.0])
def test_a_narrow_latent_far_from_zero_keeps_its_variance(mean: float) -> None:
    # In float32 a mean of squares less a squared mean would be noise: 2500 · 6e-8 = 1.5e-4 against .01² = 1e-4
    generator, record = torch.Generator().manual_seed(0), EnvironmentRecord.new(LATENTS)
    for _ in range(300):
        samples = mean + 0.01 * torch.randn(64, LATENTS, generator=generator)
        record.observe(torch.ones(64), Marginal.of(samples), contrast=1.0, memory=0.99)
    torch.testing.assert_close(record.marginal.variance, torch.full((LATENTS,), 1e-4), rtol=0.1, atol=0)
    assert torch.isfinite(record.marginal.sample(4, generator=generator)).all()


def test_atypicality_is_against_the_nearest_settled_environment_that_uses_the_latent() -> None:
    made = inference(3)
    for record, mean in zip(made.records, (4.0, 5.0, 6.0), strict=True):
        record.mean = torch.full((LATENTS,), mean)
    made.records[0].used = torch.tensor([True, False, False])
    made.records[1].used = torch.tensor([True, True, False])
    made.records[2].used, made.records[2].settled = torch.tensor([True, True, True]), False
    batch = Marginal(torch.full((LATENTS,), 6.0), torch.eye(LATENTS))
    # latent 0: ½ · 1² from environment 1 (not ½ · 2² from 0); latent 1: 1 alone; latent 2: the prior, ½ · 6²
    assert made.atypicality(batch).tolist() == pytest.approx([0.5, 0.5, 18.0])


def test_only_latents_that_another_settled_environment_uses_are_masked() -> None:
    made = inference(3)
    made.records[0].used = torch.tensor([True, True, False])
    for index in (1, 2):
        made.records[index].settled = False
    made.records[1].used, made.records[2].used = torch.tensor([False, True, True]), torch.tensor([False, False, True])
    strange = torch.full((LATENTS,), 9.0)
    assert made.update_mask(1, strange).tolist() == [False, True, True]  # latent 1 it uses itself, latent 2 nobody
    made.current = 1
    assert made.mask.tolist() == [False, True, True]
    made.records[0].settled = False
    assert made.update_mask(2, strange).tolist() == [True, True, True]  # no other has settled


def test_a_settled_mask_holds() -> None:
    made = inference(2)
    made.records[0].used = torch.tensor([True, True, False])
    made.records[1].used = torch.zeros(LATENTS, dtype=torch.bool)
    made.records[1].mask = torch.tensor([False, True, True])
    # latent 0 is typical again, latent 1 strange: neither moves it
    assert made.update_mask(1, torch.tensor([0.0, 9.0, 0.0])).tolist() == [False, True, True]


def test_without_environments_used_latents_are_masked_while_they_stray_from_the_prior() -> None:
    made = inference(1, enabled=False)
    made.records[0].mean = torch.full((LATENTS,), 5.0)  # what is typical here does not count
    made.records[0].used = torch.tensor([True, True, False])
    strange = Marginal(torch.tensor([5.0, 0.0, 5.0]), torch.eye(LATENTS))
    alpha = made.atypicality(strange)
    assert alpha.tolist() == pytest.approx([12.5, 0.0, 12.5])
    assert made.update_mask(0, alpha).tolist() == [False, True, True]  # latent 1 is typical, latent 2 spare
    assert made.update_mask(0, torch.zeros(LATENTS)).tolist() == [True] * LATENTS  # and no longer than it strays
    assert inference(1, enabled=False, masks=False).update_mask(0, alpha).tolist() == [True] * LATENTS


def test_an_unsettled_mask_may_open_again() -> None:
    made = inference(2)
    made.records[1].settled, made.records[1].used = False, torch.zeros(LATENTS, dtype=torch.bool)
    assert made.update_mask(1, torch.tensor([9.0, 0.0, 0.0])).tolist() == [False, True, True]
    assert made.update_mask(1, torch.zeros(LATENTS)).tolist() == [True, True, True]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kappa": 1.0},
        {"spread": -1.0},
        {"patience": 0},
        {"burn_in": 0},
        {"block": 0},
        {"memory": 0.0},
        {"memory": 1.0},
    ],
)
def test_bad_configuration(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^expected kappa > 1, spread >= 0, 0 < memory < 1 and patience"):
        InferenceConfig(**wrong)


scripts = st.lists(
    st.tuples(st.lists(st.sampled_from([FITS, SURPRISES]), min_size=4, max_size=4), st.integers(0, 3), st.booleans()),
    max_size=40,
)


@settings(deadline=None, max_examples=80)
@given(scripts, st.integers(1, 3), st.integers(1, 4))
def test_whatever_happens_the_memory_stays_whole(script: list[Any], patience: int, most: int) -> None:
    made = inference(0, patience=patience, max_environments=most)
    made.current = None
    for errors, guess, settles in script:
        known, before = len(made.records), made.current
        verdict = made.decide(evidence(*errors[:known], guess=min(guess, known - 1)))
        assert verdict.environment in (None, made.current)
        assert made.current is not None and made.current < len(made.records) <= most
        assert verdict.opened + verdict.returned == (made.current != before or verdict.opened)
        assert not verdict.opened or made.current == len(made.records) - 1
        assert all(record.settled for record in made.records[:-1])  # only the newest may be in its burn-in
        assert verdict.left is None or made.records[verdict.left].settled
        if settles and verdict.environment is not None:
            made.records[made.current] = settled_record()
