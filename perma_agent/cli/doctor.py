"""`perma-agent doctor`: tries what depends on the machine and says what is missing; or examines a zip of SB3."""

from __future__ import annotations

import importlib.util
import multiprocessing
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import tyro

from perma_agent.cli.output import show_json, show_table

EXTRAS: Mapping[str, tuple[str, str]] = {
    "vizdoom": ("vizdoom", "ViZDoom levels"),
    "minari": ("minari", "import and export of Minari data sets"),
    "contrib": ("sb3_contrib", "RecurrentPPO, QR-DQN"),
    "zoo": ("rl_zoo3", "training by rl-zoo3"),
    "dm-control": ("dm_control", "dm_control levels"),
    "dmlab": ("deepmind_lab", "DMLab levels; the engine is built by its own instructions, pip has no package of it"),
    "hub": ("huggingface_hub", "models on the Hugging Face hub"),
}
"""Extra of our package → the module it brings, and what for."""

SYSTEM_LIBRARIES = "libgl1 libegl1 libglu1-mesa libfreetype6 libglib2.0-0"
FREE_GIGABYTES = 2.0
"""What a demo run and its store may take, with room to spare."""
PROBE_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Config:
    """Check this machine and say what is missing; exits with 1 if something is that perma_agent cannot do without.

    With FILE say instead what Stable-Baselines3 would execute by loading it, without executing any of it; exits with 1
    if that is more than what is known to be harmless.
    """

    file: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")] = None
    """A zip of SB3 from somebody else, a torch file, or rl-zoo's vecnormalize.pkl."""
    folder: Path = Path()
    """Where stores and runs are to be written; its disk must have some space left."""
    json: bool = False
    """Write JSON instead of a table."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was found at one point."""

    name: str
    """What was looked at."""
    state: Literal["ok", "missing", "optional"]
    """`missing` is needed and not there; `optional` is not there and not needed."""
    found: str
    """Version, size or error."""
    advice: str = ""
    """What to do; empty where nothing must be done."""


def run(config: Config) -> int:
    """Write all checks to stdout.

    Returns:
        0 if all that is needed is there, or if the file holds nothing that is not known to be harmless; else 1.

    Raises:
        PermaAgentError: the file is none that can be examined.
    """
    if config.file is not None:
        from perma_agent.cli.show_inspection import examine_file  # SB3 takes a second to import, and may be missing

        return examine_file(config.file, json=config.json)
    checks = list(examine(config.folder))
    healthy = all(check.state != "missing" for check in checks)
    if config.json:
        show_json({"ok": healthy, "checks": checks})
    else:
        rows = [(check.name, check.state, check.found, check.advice) for check in checks]
        show_table(["what", "state", "found", "what to do"], rows)
    return 0 if healthy else 1


def examine(folder: Path) -> Iterator[Check]:
    """Look at everything in turn.

    Args:
        folder: where stores and runs are to be written.
    """
    yield Check(name="perma_agent", state="ok", found=version("perma-agent"))
    yield Check(name="Python", state="ok", found=f"{platform.python_version()}, {platform.machine()}, {sys.platform}")
    yield _attempt("torch", torch_in_use, "pip install torch")
    for package in ("gymnasium", "stable-baselines3", "miniworld"):
        yield _attempt(package, partial(version, package), f"pip install {package}")
    yield _attempt(
        "OpenGL/EGL, a frame",
        partial(in_another_process, draw_a_frame),
        f"install the system's OpenGL; on Debian and Ubuntu: apt-get install {SYSTEM_LIBRARIES}",
    )
    yield _attempt("store on Lance", write_and_read, "pip install --force-reinstall pylance pyarrow")
    yield disk_space(folder)
    for extra, (module, purpose) in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        advice = f"pip install 'perma-agent[{extra}]'"
        yield Check(
            name=f"extra {extra}",
            state="ok" if there else "optional",
            found=purpose,
            advice="" if there or extra == "dmlab" else advice,
        )


def torch_in_use() -> str:
    """Version, threads and the device that `--device auto` takes."""
    import torch

    from perma_agent.cli.device import choose_device

    return f"{torch.__version__}, {torch.get_num_threads()} threads, --device auto takes {choose_device()}"


def draw_a_frame() -> str:
    """Make a level, take one step and name the renderer that drew it."""
    from perma_agent.envs import catalogue, make_level
    from perma_agent.envs.miniworld.engine import renderer

    level = make_level(catalogue()[0].id)
    level.reset(seed=0)
    frame, *_ = level.step(level.action_space.sample())
    level.close()
    if frame.std() < 1:
        raise RuntimeError(f"expected a picture, got a frame of one colour from {renderer()}")
    return renderer()


def write_and_read() -> str:
    """Write a small table with Lance, append to it and read a row at random."""
    import lance
    import pyarrow

    with tempfile.TemporaryDirectory() as folder:
        for mode, number in (("create", 1), ("append", 2)):
            lance.write_dataset(pyarrow.table({"number": [number]}), f"{folder}/store", mode=mode)
        read = lance.dataset(f"{folder}/store").take([1]).to_pydict()
    if read != {"number": [2]}:
        raise RuntimeError(f"expected to read 2 back, got {read}")
    return f"pylance {lance.__version__}, wrote and read"


def disk_space(folder: Path) -> Check:
    """Whether the disk of a folder, which need not exist yet, has `FREE_GIGABYTES` left."""
    existing = next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
    gigabytes = shutil.disk_usage(existing).free / 1e9
    enough = gigabytes >= FREE_GIGABYTES
    return Check(
        name=f"disk of {folder}",
        state="ok" if enough else "missing",
        found=f"{gigabytes:.1f} GB free",
        advice="" if enough else f"free {FREE_GIGABYTES:g} GB, or keep runs and stores on another disk",
    )


def in_another_process(task: Callable[[], str]) -> str:
    """Run a task where a crash of a graphics driver takes nobody along.

    Args:
        task: a module's own function.

    Raises:
        BrokenProcessPool: the process died; TimeoutError: it took longer than `PROBE_SECONDS`; or the task's own error.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(task).result(timeout=PROBE_SECONDS)


def _attempt(name: str, task: Callable[[], str], advice: str) -> Check:
    try:
        return Check(name=name, state="ok", found=task())
    except Exception as error:  # whatever goes wrong here is the finding
        return Check(name=name, state="missing", found=f"{type(error).__name__}: {error}", advice=advice)
