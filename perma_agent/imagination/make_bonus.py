"""Make bonus: an intrinsic reward by its name, so that one word in a config changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

from perma_agent.imagination.bonus import Bonus

BONUSES = ("rnd", "icm", "disagreement", "apt", "skew-fit", "count", "none", "imagination")
"""Names that `make_bonus` knows."""
_BASELINES = "perma_agent.imagination.baselines"
_KINDS: Mapping[str, tuple[str, str, str]] = {
    "rnd": (f"{_BASELINES}.rnd", "RND", "RNDConfig"),
    "icm": (f"{_BASELINES}.icm", "ICM", "ICMConfig"),
    "disagreement": (f"{_BASELINES}.disagreement", "Disagreement", "DisagreementConfig"),
    "apt": (f"{_BASELINES}.apt", "APT", "APTConfig"),
    "skew-fit": (f"{_BASELINES}.skew_fit", "SkewFit", "SkewFitConfig"),
    "count": (f"{_BASELINES}.count", "Count", "CountConfig"),
    "none": (f"{_BASELINES}.none", "NoBonus", "NoBonusConfig"),
    "imagination": ("perma_agent.imagination.reward", "ImaginationBonus", "ImaginationConfig"),
}
"""Module, class and configuration of each, imported when it is asked for."""


def make_bonus(name: str, **options: Any) -> Bonus:
    """An intrinsic reward, not bound to levels yet.

    | name           | pays for                                                    | options                        |
    |----------------|-------------------------------------------------------------|--------------------------------|
    | `rnd`          | what a network cannot predict of a random one               | `RNDConfig`                    |
    | `icm`          | surprise at what an action led to                           | `ICMConfig`                    |
    | `disagreement` | guesses at it that lie apart                                | `DisagreementConfig`           |
    | `apt`          | distance from what was met                                  | `APTConfig`                    |
    | `skew-fit`     | going where one seldom was; show its goals to the policy    | `SkewFitConfig`                |
    | `count`        | cells of the true factors that were seldom met: the oracle  | `CountConfig`                  |
    | `none`         | nothing                                                     | none                           |
    | `imagination`  | bringing imagined configurations about; show its goals      | `ImaginationConfig`            |

    Example:
        >>> from perma_agent.wrappers import BonusReward
        >>> venv = BonusReward(venv, make_bonus("rnd", seed=3, proportion=1.0), weight=0.5)  # doctest: +SKIP

    Args:
        name: one of `BONUSES`.
        **options: fields of the configuration named above.

    Raises:
        ValueError: name or option is unknown, or an option is out of range.
    """
    if name not in BONUSES:
        raise ValueError(f"expected a bonus among {', '.join(BONUSES)}, got {name!r}")
    module, kind, config = _KINDS[name]
    found = import_module(module)
    _check(name, options, known=tuple(field.name for field in fields(getattr(found, config))))
    bonus: Bonus = getattr(found, kind)(getattr(found, config)(**options))
    return bonus


def _check(name: str, options: dict[str, Any], *, known: tuple[str, ...]) -> None:
    unknown = [option for option in options if option not in known]
    if unknown:
        raise ValueError(
            f"expected options of {name} among {', '.join(known) or 'none'}, got {', '.join(unknown)}; leave them out"
        )
