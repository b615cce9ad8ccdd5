"""Names of a package that are loaded from their files when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType


def lazy_names(package: str, places: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose public names come from its modules.

    A name stays what it names where a module of the package is called the same: importing the module would hide it.

    Args:
        package: its full name, `__name__`.
        places: public name → module below the package.

    Example:
        >>> from perma_agent.temporal import TrainingConfig  # loads `perma_agent.temporal.training`
    """

    def load(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(sorted(places))}")
        return getattr(import_module(f"{package}.{places[name]}"), name)

    class Package(ModuleType):
        def __setattr__(self, name: str, value: object) -> None:
            if name not in places or not isinstance(value, ModuleType):
                super().__setattr__(name, value)

    module = sys.modules[package]
    module.__class__ = Package
    return load, lambda: sorted({*vars(module), *places})
