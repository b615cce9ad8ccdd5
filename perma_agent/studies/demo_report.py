"""What the demo shows: its summary of figures and its one-page report."""

from __future__ import annotations

import numpy as np

from perma_agent.evaluation.inference_score import score_inference
from perma_agent.evaluation.report import (
    LearningCurve,
    Page,
    Picture,
    Section,
    Text,
    atypicality_map,
    cross_domain_sheet,
    environments_over_time,
    learning_curves,
    loss_curves,
    reconstruction_sheet,
    stage_seconds,
    success_matrix,
    traversal_sheet,
)
from perma_agent.evaluation.report.blocks import Block
from perma_agent.evaluation.results import Row, Summary
from perma_agent.evaluation.statistics import Estimate, success_ratio
from perma_agent.evaluation.traversals import (
    TRAVERSED,
    cross_domain,
    information_per_latent,
    latent_traversals,
    reconstruct,
)
from perma_agent.studies.demo import DemoResult

SETTINGS = ("indoor", "outdoor")
"""The two worlds, in the order in which they were shown."""


def summarise(result: DemoResult, *, command: str, preset: str, total_seconds: float) -> Summary:
    """The demo's figures in the published shape; one run, so no interval over seeds."""
    score = score_inference(result.history, result.worlds)
    names = [f"{before.name} to {world.name}" for before, world in zip(result.worlds, result.worlds[1:], strict=False)]
    ids = ["switch_lag_batches", "return_lag_batches"]
    rows = []
    for row, lag, name in zip(ids, score.lags, names, strict=False):
        note = f"{name}; batches until the world's own environment was inferred, found without being told"
        rows.append(
            Row.not_measured(row, why=f"{name}: never found", unit="batches", goal="<= 20")
            if lag is None
            else Row.of(row, Estimate.exact(lag), unit="batches", goal="<= 20", note=note)
        )
    rows.append(Row.of("spurious_environments", Estimate.exact(score.spurious), unit="environments", goal="<= 0"))
    return Summary(
        study="demo",
        preset=preset,
        command=command,
        rows=(*rows, *_success_rows(result), *_second_rows(result, total_seconds)),
    )


def _success_rows(result: DemoResult) -> list[Row]:
    trained, chance = result.episodes["trained"], result.episodes["random"]
    ours, reference = ((int(one["indoor"].successes.sum()), one["indoor"].episodes) for one in (trained, chance))
    ratio = success_ratio(ours, reference)
    count = trained["indoor"].episodes
    rows = [
        Row.of(
            "success_ratio_vs_random",
            Estimate.exact(ratio.value),
            goal=">= 3",
            note=f"on the level it was trained on, one seed, {count} episodes each; "
            f"95% interval over episodes {ratio.low:.2f} to {ratio.high:.2f}",
        )
    ]
    for policy, settings in result.episodes.items():
        for setting, episodes in settings.items():
            rate = episodes.success_rate
            note = f"{episodes.episodes} episodes; Wilson 95% interval {rate.low:.2f} to {rate.high:.2f}"
            rows.append(Row.of(f"success_{policy}_{setting}", Estimate.exact(rate.value), note=note))
    return rows


def _second_rows(result: DemoResult, total_seconds: float) -> list[Row]:
    rows = [Row.of("total_seconds", Estimate.exact(total_seconds), unit="s", goal="<= 600")]
    for stage, seconds in result.seconds.items():
        rows.append(Row.of(f"seconds_{stage.replace(' ', '_')}", Estimate.exact(seconds), unit="s"))
    return rows


def make_page(result: DemoResult, summary: Summary) -> Page:
    """The report of one run."""
    return Page(
        title="perma_agent demo",
        introduction=(
            "A VASE learnt indoors from recorded trajectories, went on outdoors without being told, and then served "
            "PPO as its eyes on an indoor level while it went on learning. Below: what it inferred, what it sees, "
            "and what the policy made of it."
        ),
        sections=_Sections(result, summary.command).all(),
        summary=summary,
    )


class _Sections:
    """The report's sections; each figure with the same command and seed."""

    def __init__(self, result: DemoResult, command: str) -> None:
        self.result = result
        self.command = command
        self.model = result.learner.model.eval()
        found = score_inference(result.history, result.worlds).environments
        known = range(len(result.learner.inference.records))
        visits = [(world.name, environment) for world, environment in zip(result.worlds, found, strict=True)]
        given = {name: environment for name, environment in reversed(visits) if environment in known}
        self.environments = {name: given.get(name) or 0 for name in SETTINGS}
        self.missed = [name for name in SETTINGS if name not in given]
        self.masks = {
            name: result.learner.inference.records[environment].mask for name, environment in self.environments.items()
        }

    def all(self) -> tuple[Section, ...]:
        return (self._environments(), self._seeing(), self._traversals(), self._policy(), self._time())

    def _picture(self, figure: object, *, alt: str, caption: str) -> Picture:
        return Picture(
            figure=figure,  # type: ignore[arg-type]  # all are matplotlib figures
            alt=alt,
            caption=caption,
            command=self.command,
            seed=self.result.config.seed,
        )

    def _environments(self) -> Section:
        history, worlds = self.result.history, self.result.worlds
        blocks = (
            Text(text="The learner is shown batch after batch and nothing else. Dashed lines mark the true switches."),
            self._picture(
                environments_over_time(history, worlds=worlds),
                alt="Inferred environment by batch",
                caption="True world, inferred environment, and the error against its limit.",
            ),
            self._picture(
                atypicality_map(history, worlds=worlds, thresholds=self.result.config.learner.mask),
                alt="Atypicality of each latent by batch",
                caption="Atypicality of each latent, and which latents were masked.",
            ),
            self._picture(
                loss_curves(history, worlds=worlds),
                alt="Terms of the objective by batch",
                caption="Each term of the objective, and the information in the code.",
            ),
        )
        return Section(title="Environments it inferred", blocks=blocks)

    def _seeing(self) -> Section:
        frames = self.result.frames
        pairs = {
            name: (
                frames[name],
                reconstruct(self.model, frames[name], environment=self.environments[name], mask=self.masks[name]),
            )
            for name in SETTINGS
        }
        warning = [
            Text(text=f"No environment is left for {name}; it is drawn as environment 0.") for name in self.missed
        ]
        blocks: list[Block] = [
            *warning,
            self._picture(
                reconstruction_sheet(pairs, environments=[self.environments[name] for name in SETTINGS]),
                alt="Frames and their reconstructions",
                caption="Frames of both worlds and their reconstructions at the end of the run.",
            ),
        ]
        directions = [("indoor", "outdoor"), ("outdoor", "indoor")]
        carried = [
            cross_domain(
                self.model,
                frames[home],
                home=self.environments[home],
                abroad=self.environments[abroad],
                home_mask=self.masks[home],
                abroad_mask=self.masks[abroad],
            )
            for home, abroad in directions
        ]
        blocks.append(
            self._picture(
                cross_domain_sheet(
                    carried,
                    names=[f"{home} → {abroad}" for home, abroad in directions],
                    environments=[(self.environments[home], self.environments[abroad]) for home, abroad in directions],
                ),
                alt="Cross-domain reconstructions",
                caption="Each frame decoded as its own world, as the other, and back.",
            )
        )
        return Section(title="What it sees", blocks=blocks)

    def _traversals(self) -> Section:
        blocks = []
        for name in SETTINGS:
            frame, environment, mask = self.result.frames[name], self.environments[name], self.masks[name]
            information = information_per_latent(self.model, frame, mask=mask)
            busiest = int(np.argmax([image.std() for image in frame]))  # a bare wall shows little of what latents do
            sheet = traversal_sheet(
                latent_traversals(self.model, frame[busiest], environment=environment, mask=mask),
                values=TRAVERSED,
                information=information,
                environment=environment,
                masked=~np.asarray(mask),
            )
            caption = f"One {name} frame; each row moves one latent, the most telling first."
            blocks.append(self._picture(sheet, alt=f"Latent traversals {name}", caption=caption))
        return Section(title="What its latents mean", blocks=blocks)

    def _policy(self) -> Section:
        result = self.result
        curve = LearningCurve.of_episodes(
            result.policy.episode_ends,
            result.policy.returns,
            result.policy.successes,
            rng=np.random.default_rng(result.config.seed),
        )
        level = result.config.level("indoor").id
        blocks = (
            self._picture(
                learning_curves({"PPO on VASE": curve}, random=result.episodes["random"]["indoor"], level=level),
                alt="Learning curve",
                caption="Training episodes; the dashed line is the random policy.",
            ),
            self._picture(
                success_matrix(result.episodes),
                alt="Success by policy and world",
                caption="Success on the level it was trained on (indoor) and on the same level outdoors.",
            ),
        )
        return Section(title="The policy", blocks=blocks)

    def _time(self) -> Section:
        figure = stage_seconds(self.result.seconds)
        return Section(
            title="Where the time went",
            blocks=(self._picture(figure, alt="Seconds by stage", caption="Wall-clock seconds of each stage."),),
        )
