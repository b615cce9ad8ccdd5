"""The house is whole: what ships, what each module says of itself, and what no module may do."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

import perma_agent

LONGEST_FILE = 300
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "misc"}
UNSAFE_MODULES = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
UNSAFE_CALLS = {"print", "eval", "exec"}
MACHINE_PATH = re.compile(r"(?<![\w./~$}-])/(?:home|root|work|mnt|Users|opt)/[\w.]")
PACKAGE_HOST = re.compile(r"(?:--(?:extra-)?index-url|find-links|\bpypi\.[a-z]+/simple)", re.IGNORECASE)
MADE_WHILE_WORKING = ("runs/", "build/", "dist/", ".venv/")
ROOM_OR_FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.py))`")


def test_every_package_is_listed_to_ship(root: Path, modules: Mapping[str, Path]) -> None:
    listed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = [name for name, path in modules.items() if path.name == "__init__.py"]
    assert sorted(listed) == sorted(there), "pyproject.toml: packages must name each folder with an __init__.py"


def test_every_module_is_inside_a_package(modules: Mapping[str, Path]) -> None:
    orphans = [name for name, path in modules.items() if not (path.parent / "__init__.py").exists()]
    assert orphans == []


@pytest.mark.parametrize("folder", ["envs", "wrappers"])
def test_bare_import_of_a_mapped_folder_is_refused(root: Path, folder: str) -> None:
    ran = subprocess.run([sys.executable, "-c", f"import {folder}"], cwd=root, capture_output=True, text=True)
    assert ran.returncode == 1
    assert f"this folder ships as `perma_agent.{folder}` but was imported as `{folder}`" in ran.stderr


def test_doctests_hold(module_name: str) -> None:
    result = doctest.testmod(importlib.import_module(module_name))
    assert result.failed == 0


def test_module_says_what_it_is_for(module_name: str, modules: Mapping[str, Path]) -> None:
    docstring = ast.get_docstring(ast.parse(modules[module_name].read_text()))
    assert docstring is not None, "every module begins with a docstring of one sentence"
    assert len(docstring) > 20


def test_module_has_a_telling_name_and_a_readable_length(module_name: str, modules: Mapping[str, Path]) -> None:
    assert module_name.rpartition(".")[2] not in NAMES_THAT_SAY_NOTHING
    lines = modules[module_name].read_text().count("\n")
    assert lines <= LONGEST_FILE, f"{module_name} has {lines} lines: split it"


def test_module_does_nothing_unsafe(module_name: str, modules: Mapping[str, Path]) -> None:
    assert unsafe_in(modules[module_name].read_text()) == []


def unsafe_in(source: str) -> list[str]:
    """What the library never does: print, run text as code, read a pickle, swallow every error."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [alias.name for alias in names if alias.name.split(".")[0] in UNSAFE_MODULES]
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in UNSAFE_MODULES:
                found.append(module)
            case ast.Call(func=ast.Name(id=name)) if name in UNSAFE_CALLS:
                found.append(f"{name}()")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load")):
                found.append("torch.load()")
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                found.append("allow_pickle=True")
            case ast.ExceptHandler(type=None):
                found.append("bare except")
            case ast.ExceptHandler(body=[ast.Pass()]):
                found.append("swallowed exception")
            case _:
                pass
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle", ["pickle"]),
        ("def f():\n    from cloudpickle import loads", ["cloudpickle"]),
        ("print(1)", ["print()"]),
        ("eval('1')", ["eval()"]),
        ("torch.load(path)", ["torch.load()"]),
        ("np.load(path, allow_pickle=True)", ["allow_pickle=True"]),
        ("try:\n    f()\nexcept:\n    g()", ["bare except"]),
        ("try:\n    f()\nexcept OSError:\n    pass", ["swallowed exception"]),
        ("model.eval()\nconsole.print(1)\nnp.load(path, allow_pickle=False)", []),
    ],
)
def test_the_check_for_unsafe_things_can_fail(source: str, found: list[str]) -> None:
    assert unsafe_in(source) == found


def test_tracked_files_name_no_machine(root: Path) -> None:
    offenders = []
    for path in _tracked(root):
        text = _text(path)
        lines = [line for line in text.splitlines() if MACHINE_PATH.search(line) or PACKAGE_HOST.search(line)]
        offenders += [f"{path.relative_to(root)}: {line.strip()[:100]}" for line in lines]
    assert [line for line in offenders if not line.startswith("tests/test_layout.py")] == []


@pytest.mark.parametrize(
    "line", ["data = '/" + "home/ann/data'", "see /" + "work/main", "--index-url https://example.org"]
)
def test_the_check_for_machine_names_can_fail(line: str) -> None:
    assert MACHINE_PATH.search(line) or PACKAGE_HOST.search(line)


@pytest.mark.parametrize("line", ["models/work/x", "https://example.org/home/x", "a /workspace", "$HOME/work/x"])
def test_the_check_for_machine_names_lets_others_pass(line: str) -> None:
    assert not MACHINE_PATH.search(line)


def test_version_is_written_in_one_place(root: Path) -> None:
    version = perma_agent.__version__
    assert importlib.metadata.version("perma-agent") == version
    assert "version" in tomllib.loads((root / "pyproject.toml").read_text())["project"]["dynamic"]
    assert f"## [{version}]" in (root / "CHANGELOG.md").read_text()
    assert f"\nversion: {version}\n" in (root / "CITATION.cff").read_text()


def test_public_names_are_there() -> None:
    for name in perma_agent.__all__:
        assert getattr(perma_agent, name) is not None
    assert set(perma_agent.__all__) <= set(dir(perma_agent))
    with pytest.raises(AttributeError, match="has no attribute 'VAES'"):
        perma_agent.VAES  # noqa: B018


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_rooms_named_in_the_documents_exist(root: Path, page: str) -> None:
    named = {
        name for name in ROOM_OR_FILE.findall((root / page).read_text()) if not name.startswith(MADE_WHILE_WORKING)
    }
    places = (root, root / "perma_agent")
    assert sorted(name for name in named if not any((place / name).exists() for place in places)) == []


def test_constraints_pin_what_is_installed_without_local_versions(root: Path) -> None:
    lines = [line.split("#")[0].strip() for line in (root / "constraints.txt").read_text().splitlines()]
    pins = dict(line.split("==") for line in lines if line)
    assert [name for name, version in pins.items() if "+" in version] == []
    direct = [re.split(r"[<>=~\[; ]", requirement)[0] for requirement in _requirements(root)]
    known = {_normal(name) for name in pins}
    assert [name for name in direct if _normal(name) not in known] == []


@pytest.mark.slow
def test_the_built_wheel_holds_every_module(root: Path, modules: Mapping[str, Path], tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(root)]
    subprocess.run(build, check=True, capture_output=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        name.replace(".", "/") + ("/__init__.py" if path.name == "__init__.py" else ".py")
        for name, path in modules.items()
    }
    assert expected | {"perma_agent/py.typed"} <= held
    foreign = {name for name in held if not name.startswith(("perma_agent/", "perma_agent-"))}
    assert foreign == set(), "nothing may land at the top level of site-packages"


def _tracked(root: Path) -> list[Path]:
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    return [root / name for name in listed.split("\0") if name and (root / name).is_file()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _requirements(root: Path) -> list[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
