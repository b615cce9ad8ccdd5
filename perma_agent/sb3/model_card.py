"""Model card: what a bundle is, for people and for the Hugging Face hub, written from the bundle itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.continual.checkpoint import load_learner
from perma_agent.continual.config_json import to_json
from perma_agent.sb3.saving.agent_config import AgentConfig
from perma_agent.sb3.saving.bundle import VASE, BundleContent, read_bundle
from perma_agent.version import __version__

LIMITS = """\
- Trained and measured on the levels above; nothing is known of others.
- Returns are of the episodes named above, with the policy and the level's randomness as they were there.
- The agent acts on what the VASE keeps of a frame. What the VASE has not learnt to see, the policy cannot react to.
- Random numbers begin anew when it is loaded: training on is not bit for bit what it would have been.
- Not made for anything that can do harm."""


@dataclass(frozen=True, kw_only=True)
class MeasuredReturns:
    """Returns of episodes, and which."""

    values: Sequence[float]
    """One an episode, at least one."""
    episodes: str
    """Which they are, e.g. `20 episodes, acting greedily`."""

    def __post_init__(self) -> None:
        if not len(self.values) or not np.isfinite(np.asarray(self.values, dtype=float)).all():
            raise ValueError(f"expected finite returns of at least one episode, got {list(self.values)[:5]}")

    @property
    def summary(self) -> str:
        """Mean and standard deviation over episodes, as the hub's leaderboards read it."""
        values = np.asarray(self.values, dtype=float)
        return f"{values.mean():.2f} +/- {values.std():.2f}"


def model_card(
    bundle: str | Path,
    *,
    repo_id: str = "USER/REPO",
    returns: MeasuredReturns | None = None,
    licence: str | None = None,
) -> str:
    """Markdown with the hub's front matter, to be saved as README.md.

    Args:
        bundle: folder that `save_bundle` wrote.
        repo_id: where on the hub it will be, for the line that loads it.
        returns: what it achieved; left out, the card says that nothing was measured and claims nothing.
        licence: of the weights, by the hub's short name, e.g. `mit`; nobody but you can tell.

    Raises:
        RunFolderError: the bundle is missing, damaged or of another version.
    """
    bundle = Path(bundle)
    content = read_bundle(bundle)
    parts = [
        _front_matter(content, returns=returns, licence=licence),
        _title(content),
        _what_it_is(content.config),
        "## Levels\n\n" + _level_list(content),
        "## What it sees\n\n" + _sight(content.config),
        *_vase(bundle, content.config),
        "## Returns\n\n" + _returns(returns),
        "## Training\n\n" + _table(content.config.settings | {"policy": content.config.policy}),
        f'## Load it\n\n```python\nfrom perma_agent.sb3.hub import load_from_hub  # pip install "perma-agent[hub]"\n\n'
        f'agent = load_from_hub("{repo_id}")\nactions, _ = agent.predict(observations)\n```\n\n'
        "Safetensors and JSON only, checked against `manifest.json`; no pickle is read.",
        "## Licence\n\n" + (f"`{licence}`, as the author says." if licence else "The author has named none."),
        "## Limits\n\n" + LIMITS,
        f"<small>Written by perma_agent {__version__} from the bundle itself.</small>",
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(content: BundleContent, *, returns: MeasuredReturns | None, licence: str | None) -> str:
    """YAML between two rules; JSON's values are YAML's too, so that nothing needs quoting by hand."""
    levels = [str(level["id"]) for level in content.levels]
    tags = ["reinforcement-learning", "deep-reinforcement-learning", "stable-baselines3", "vase", *levels]
    facts: dict[str, Any] = {"library_name": "perma-agent", "pipeline_tag": "reinforcement-learning"}
    facts |= {"tags": list(dict.fromkeys(tags))}
    facts |= {} if licence is None else {"license": licence}
    if returns is not None and levels:
        task = {"type": "reinforcement-learning", "name": "reinforcement-learning"}
        metric = {"type": "mean_reward", "value": returns.summary, "name": "mean_reward", "verified": False}
        dataset = {"name": ", ".join(dict.fromkeys(levels)), "type": levels[0]}
        result = {"task": task, "dataset": dataset, "metrics": [metric]}
        facts |= {"model-index": [{"name": content.config.algorithm, "results": [result]}]}
    lines = [f"{name}: {json.dumps(value)}" for name, value in facts.items()]
    return "\n".join(["---", *lines, "---"])


def _what_it_is(config: AgentConfig) -> str:
    return (
        f"{config.algorithm} (`{config.policy_class}`) of Stable-Baselines3, trained for {config.timesteps:,} "
        f"timesteps on {config.copies} levels in parallel, seed {config.seed}."
    )


def _title(content: BundleContent) -> str:
    levels = ", ".join(dict.fromkeys(str(level["id"]) for level in content.levels)) or "levels that were not named"
    return f"# {content.config.algorithm} on {levels}" + (", seen through a VASE" if content.config.extractor else "")


def _level_list(content: BundleContent) -> str:
    lines = [f"- `{level['id']}` with `{json.dumps(level.get('arguments', {}))}`" for level in content.levels]
    return "\n".join(lines) or "Not known: the agent had no levels when it was saved."


def _sight(config: AgentConfig) -> str:
    seen = {"observations": to_json(config.observations), "actions": to_json(config.actions)}
    spaces = "\n".join(f"- {name}: `{_brief(value)}`" for name, value in seen.items())
    extractor = config.extractor
    if extractor is None:
        return f"Observations as they are, through Stable-Baselines3's own extractor.\n\n{spaces}"
    model = extractor.model
    return (
        f"Frames of {model.image_size}x{model.image_size} with {model.channels} channels, through a VASE of "
        f"{model.latents} latents: {', '.join(extractor.sees)} of the code, mode `{extractor.mode}`.\n\n{spaces}"
    )


def _vase(bundle: Path, config: AgentConfig) -> list[str]:
    if config.extractor is None:
        return []
    parts = ["## VASE", _table(to_json(config.extractor.model))]
    if (bundle / VASE).is_dir():
        learner = load_learner(bundle / VASE)
        known = len(learner.inference.records)
        parts += [
            f"The whole of it and its learner are in `vase/`, to go on learning from: it has seen {learner.step} "
            f"batches and knows {known} environment{'' if known == 1 else 's'}. It learns with",
            _table(to_json(learner.config)),
        ]
    return ["\n\n".join(parts)]


def _returns(returns: MeasuredReturns | None) -> str:
    if returns is None:
        return "Not measured."
    return f"{returns.summary} (mean and standard deviation over {returns.episodes})."


def _table(values: Mapping[str, Any]) -> str:
    rows = [f"| {name} | `{_brief(value)}` |" for name, value in values.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _brief(value: Any) -> str:
    """JSON on one line that no table and no code span is broken by."""
    text = json.dumps(value, ensure_ascii=False, default=str).replace("|", "¦").replace("`", "'")
    return text if len(text) <= 300 else text[:300] + "..."
