"""The total: a weight for each term, or an error that lists them."""

from __future__ import annotations

import math

import pytest
import torch

from perma_agent.objectives import total


def test_value_and_metrics() -> None:
    # 2 · mean(1, 3) + .5 · mean(4) = 4 + 2
    loss, metrics = total({"a": torch.tensor([1.0, 3.0]), "b": torch.tensor([4.0])}, {"b": 0.5, "a": 2.0})
    assert float(loss) == 6.0
    assert metrics == {"loss/a": 2.0, "loss/b": 4.0, "loss/total": 6.0}


def test_a_weight_of_zero_leaves_gradients_untouched() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    loss, metrics = total({"used": x.pow(2), "off": x.exp()}, {"used": 1.0, "off": 0.0})
    loss.backward()
    assert x.grad.tolist() == [1.0, 2.0]  # 2 x / B
    assert metrics["loss/off"] == pytest.approx((math.e + math.e**2) / 2)


@pytest.mark.parametrize("weights", [{"a": 1.0}, {"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 1.0, "c": 1.0}])
def test_names_must_be_the_same(weights: dict[str, float]) -> None:
    terms = {"b": torch.ones(2), "a": torch.ones(2)}
    with pytest.raises(ValueError) as caught:
        total(terms, weights)
    assert str(caught.value) == (
        f"expected one weight for each term, got terms ['a', 'b'] and weights {sorted(weights)}"
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_terms_that_are_not_finite_are_named(bad: float) -> None:
    terms = {"good": torch.ones(2), "worse": torch.tensor([1.0, bad]), "bad": torch.tensor([bad])}
    message = r"^expected finite terms, got NaN or infinity in \['bad', 'worse'\]; lower the learning rate$"
    with pytest.raises(ValueError, match=message):
        total(terms, dict.fromkeys(terms, 1.0))
