"""Public names of the package are what they say, even where a file is called the same and was imported first."""

import importlib
from types import ModuleType

import perma_agent.evaluation


def test_a_file_of_the_same_name_hides_no_public_name():
    for file in ("cross_domain", "homology"):
        importlib.import_module(f"perma_agent.evaluation.{file}")
        found = getattr(perma_agent.evaluation, file)
        assert callable(found) and not isinstance(found, ModuleType)


def test_every_public_name_is_there():
    for name in perma_agent.evaluation.__all__:
        assert not isinstance(getattr(perma_agent.evaluation, name), ModuleType), name
