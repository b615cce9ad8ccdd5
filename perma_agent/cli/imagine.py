"""`perma-agent imagine`: what a VASE imagines of a recorded world, as a sheet of frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from perma_agent.cli.output import show_json, show_table
from perma_agent.errors import PermaAgentError

if TYPE_CHECKING:
    from perma_agent.evaluation.imagined import Imagined


@dataclass(frozen=True, kw_only=True)
class Config:
    """Compose configurations that were not met from those that were, and show them beside the frames met."""

    run: tyro.conf.Positional[Path] = Path("runs/vase")
    """Run folder of the VASE."""
    store: Path = Path("runs/indoor")
    """Trajectory store with frames of the world."""
    out: Path = Path("runs/imagined.png")
    """PNG file to write the sheet to."""
    frames: int = 2_048
    """Frames looked at, drawn at random from all in the store."""
    rows: int = 12
    """Configurations shown at most."""
    environment: int | None = None
    """Environment that the frames are from; by default the one they are taken for."""
    seed: int = 0
    """Of the frames and all that is imagined."""
    device: str = "auto"
    """Where the VASE runs: `auto`, or a device by torch's name."""
    json: bool = False
    """Write JSON instead of a table."""

    def __post_init__(self) -> None:
        if self.frames < 24 or self.rows < 1:
            raise ValueError(f"expected frames >= 24 and rows >= 1, got {self.frames} and {self.rows}")


def run(config: Config) -> None:
    """Write the sheet, and what is on it to stdout.

    Raises:
        PermaAgentError: run folder or store cannot be read or do not fit, or nothing can be imagined.
    """
    if config.out.suffix.lower() != ".png":
        raise PermaAgentError(f"expected --out to name a .png file, got {config.out}")
    import numpy as np
    import torch

    from perma_agent.cli.device import choose_device
    from perma_agent.data import TrajectoryStore
    from perma_agent.evaluation.atomic_write import atomic_file
    from perma_agent.evaluation.imagined import imagine_from_frames
    from perma_agent.evaluation.report.imagined_frames import imagined_frames
    from perma_agent.evaluation.report.style import png
    from perma_agent.imagination.code_reading import as_shown
    from perma_agent.imagination.imagination_config import ImaginationConfig
    from perma_agent.imagination.worldview import Worldview

    worldview = Worldview.of_run(config.run, device=choose_device(config.device))
    with TrajectoryStore.open(config.store) as store:
        count = min(config.frames, store.num_frames)
        rows = np.sort(np.random.default_rng(config.seed).permutation(store.num_frames)[:count])
        pictures = torch.from_numpy(np.ascontiguousarray(store.frames(rows))).movedim(-1, 1).float() / 255.0
    frames = (as_shown(pictures, worldview.model.config) * 255.0).round().to(torch.uint8).numpy()
    settings = ImaginationConfig(seed=config.seed, environment=config.environment)
    imagined = imagine_from_frames(worldview, frames, rows=config.rows, config=settings)
    with atomic_file(config.out) as file:
        file.write(png(imagined_frames(imagined)))
    _tell(imagined, config, looked_at=count)


def _tell(imagined: Imagined, config: Config, *, looked_at: int) -> None:
    """Write to stdout what is on the sheet, and how well the model draws what was met."""
    rows = range(len(imagined))
    if config.json:
        listed = [
            {
                "kind": imagined.kinds[row],
                "replaced": imagined.replaced[row],
                "from_environment": imagined.sources[row],
                "novelty": imagined.novelty[row],
                "plausibility": imagined.plausibility[row],
            }
            for row in rows
        ]
        about = {
            "sheet": config.out,
            "frames": looked_at,
            "environment": imagined.environment,
            "comes_back": imagined.comes_back,
        }
        show_json({**about, "imagined": listed})
        return
    show_table(
        [str(config.out), "latents replaced", "from environment", "novelty", "plausibility"],
        [
            (
                imagined.kinds[row],
                " ".join(map(str, imagined.replaced[row])),
                imagined.sources[row],
                f"{imagined.novelty[row]:.2f}",
                f"{imagined.plausibility[row]:.2f}",
            )
            for row in rows
        ],
    )
    show_table(
        ["frames looked at", str(looked_at)],
        [("environment", imagined.environment), ("comes back of what was met", f"{imagined.comes_back:.0%}")],
    )
