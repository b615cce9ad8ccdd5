"""The figures of the study `sb3` and the page that shows them, made of its cells alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import Table
from perma_agent.evaluation.results import Summary
from perma_agent.studies.page_files import write_parts
from perma_agent.studies.page_parts import NO_VALUE, Drawn, Part, estimate_text, means_table, of_arm, seeds_in_words
from perma_agent.studies.sb3.planning import RESUME, SWITCH
from perma_agent.studies.sb3.rows import median, ratios, timed_cells
from perma_agent.studies.sb3.speed_figure import speed_figure
from perma_agent.studies.sb3.switch import MODES
from perma_agent.studies.sb3.switch_figure import publications_figure, switch_figure
from perma_agent.studies.sb3.timed_agents import EYES, LEVEL, REFERENCE

INTRODUCTION = (
    "PPO of Stable-Baselines3 sees a 3D level through a VASE. Three questions: how many steps a second it learns with, "
    "beside SB3's own NatureCNN; whether a run that is killed again and again ends where it would have ended; and "
    "whether training stays steady when the encoder goes on learning and the level changes its look without a word."
)
FIGURES = {
    "return before the switch": "return/before",
    "return at the switch": "return/at",
    "return at the end": "return/after",
    "publications": "publications",
    "features moved, before the switch (spreads)": "moved/before",
    "features moved, at the switch (spreads)": "moved/at",
    "features moved, at the end (spreads)": "moved/after",
    "KL of a publication, at the switch (nats)": "policy_kl/at",
    "KL of PPO's own update, at the switch (nats)": "update_kl/at",
    "information of actions about frames, at the switch (nats)": "information/at",
    "environments known": "environments",
    "rounds until the switch was noticed": "noticed",
}
"""Rows of the table, and the figure of each."""


def write_figures(cells: Sequence[Cell], summary: Summary, folder: Path) -> None:
    """Write the figures, the tables and the page of the study's cells into its folder; see `write_parts`."""
    title = "Stable-Baselines3: how fast, how steady"
    write_parts(_contents(cells), cells, summary, folder, title=title, introduction=INTRODUCTION)


def _contents(cells: Sequence[Cell]) -> Iterator[tuple[str, Sequence[Part]]]:
    """Titles of all sections in order, and what stands in them, if anything."""
    yield "How fast", _speed(cells)
    yield "How steady when the look changes", _switch(cells)
    yield "Killed and taken up again", _resume(cells)


def _speed(cells: Sequence[Cell]) -> list[Part]:
    timed = timed_cells(cells)
    if not timed:
        return []
    drawn = Drawn(
        name="speed",
        figure=speed_figure(timed),
        alt="Steps a second of PPO through each kind of eyes, and their ratios to NatureCNN",
        caption="All arms learn with the same settings of PPO on the same level, a block of one rollout and its "
        "updates each in turn. Left: medians and quartiles over rounds; the dotted line is the level alone, which no "
        "agent can outrun. Right: each round's ratio to NatureCNN, medians with 95% intervals; marks are the bars.",
        seeds=seeds_in_words(list(timed.values())),
    )
    tables = [_speed_table(threads, cell) for threads, cell in timed.items()]
    return [drawn, *tables]


def _speed_table(threads: int, cell: Cell) -> Table:
    rows = [
        (words, estimate_text(median(cell.series[arm]), digits=0), estimate_text(median(ratios(cell, arm))))
        for arm, words in EYES.items()
    ]
    alone = ("level alone, no agent", estimate_text(median(cell.series[LEVEL]), digits=0), NO_VALUE)
    return Table(
        header=("", "steps a second", f"over {EYES[REFERENCE]}"),
        rows=[*rows, alone],
        caption=f"Torch with {threads} thread{'s' if threads > 1 else ''}. Medians over "
        f"{len(cell.series[LEVEL])} rounds with 95% intervals.",
    )


def _switch(cells: Sequence[Cell]) -> list[Part]:
    arms = {mode: found for mode in MODES if (found := of_arm(cells, f"{SWITCH}-{mode}"))}
    if not arms:
        return []
    seeds = seeds_in_words([cell for found in arms.values() for cell in found])
    parts: list[Part] = [
        Drawn(
            name="switch",
            figure=switch_figure(cells),
            alt="Returns of training episodes over steps with the switch marked, and publications as ticks",
            caption="Training episodes' returns: each seed thin, the mean thick. At the dashed line the level changes "
            "its look; the agent is not told. Dotted: the random policy. Below: each publication of a newer encoder, a "
            "row a seed, in the colour of the environment that the VASE had inferred.",
            seeds=seeds,
        )
    ]
    if MODES[0] in arms:
        parts.append(
            Drawn(
                name="publications",
                figure=publications_figure(arms[MODES[0]]),
                alt="How far features moved and how much the policy changed at each publication",
                caption="What a publication alone does, on fixed frames of either look. Left: how far features move, "
                "in units of their own spread. Right: how much the policy's actions change with them, beside what "
                "PPO's own update of the same rollout changes.",
                seeds=seeds_in_words(arms[MODES[0]]),
            )
        )
    table = means_table(
        cells,
        columns={f"VASE {mode}": f"{SWITCH}-{mode}" for mode in arms},
        rows={words: [figure] * len(arms) for words, figure in FIGURES.items()},
        caption="Through the change of look.",
    )
    return parts if table is None else [*parts, table]


def _resume(cells: Sequence[Cell]) -> list[Part]:
    rows = {
        "largest difference of any number": "max_difference",
        "tensors compared": "tensors",
        "processes sent SIGTERM": "terminated",
        "processes sent SIGKILL": "killed",
        "exits with code 0 after SIGTERM in training": "exits_with_0",
        "processes in all": "processes",
        "same training episodes (1: yes)": "same_episodes",
        "seconds, undisturbed": "straight_seconds",
        "seconds, killed": "seconds",
    }
    return [
        Table(
            header=("", "one run"),
            rows=[
                (words, NO_VALUE if (value := cell.figures.get(name)) is None else f"{value:g}")
                for words, name in rows.items()
            ],
            caption="A PPO + VASE run that is killed at random moments, beside the same run undisturbed.",
        )
        for cell in of_arm(cells, RESUME)
    ]
