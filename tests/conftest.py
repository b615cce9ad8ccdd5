"""What all tests share: one thread, no display, seeded generators, and the list of the library's modules."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

# Before anything imports pyglet: levels draw off screen, even on a desk with a display.
os.environ["PYGLET_HEADLESS"] = "true"
os.environ.pop("DISPLAY", None)
os.environ.pop("WAYLAND_DISPLAY", None)

ROOT = Path(__file__).resolve().parents[1]


def _library_modules() -> Mapping[str, Path]:
    """Importable name → file of every module that ships, read from the recipe in pyproject.toml and from the disk."""
    recipe = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    modules = {}
    for package, folder in recipe.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            inner = path.relative_to(ROOT / folder).with_suffix("").parts
            modules[".".join((package, *inner)).removesuffix(".__init__")] = path
    return MappingProxyType(modules)


MODULES = _library_modules()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `module_name` runs once for each module of the library."""
    if "module_name" in metafunc.fixturenames:
        metafunc.parametrize("module_name", sorted(MODULES))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests run on one thread: small tensors are slower on many, and sums come out the same everywhere."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> Mapping[str, Path]:
    """Importable name → file, of every module that ships."""
    return MODULES


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded randomness for numpy."""
    return np.random.default_rng(0)


@pytest.fixture
def generator() -> torch.Generator:
    """Seeded randomness for torch."""
    return torch.Generator().manual_seed(0)
