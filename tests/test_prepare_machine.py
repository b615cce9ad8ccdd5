"""`make setup` on machines that lack something: it installs where it may, else says what to run, and stops."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

TOOLS = ("sh", "env", "cut", "paste", "sed", "cat", "touch", "true")

PYTHON = """#!/bin/sh
if [ "$1" = - ]; then
    [ -e "$HOME/installed" ] || printf '%s\\n' "$LACKING"
else
    exec {python} "$@"
fi
"""
APT_GET = """#!/bin/sh
echo "apt-get $*" >> "$HOME/log"
if [ "$1" = install ]; then {install}; fi
"""
APT_CACHE = """#!/bin/sh
[ "$2" != "$UNKNOWN_PACKAGE" ]
"""
SUDO = """#!/bin/sh
[ "$1" = -n ] && shift
echo "sudo $*" >> "$HOME/log"
exec "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A folder of commands that play a machine."""

    home: Path
    """Holds `log`, what was called as root."""
    run: Callable[..., subprocess.CompletedProcess[str]]
    """Runs the script there."""

    @property
    def log(self) -> str:
        """What was called."""
        log = self.home / "log"
        return log.read_text() if log.exists() else ""


@pytest.fixture
def machine(tmp_path: Path, root: Path) -> Callable[..., Machine]:
    """Make a machine that lacks libEGL and GLib."""
    commands = tmp_path / "bin"
    commands.mkdir()

    def add(name: str, text: str) -> None:
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)

    def make(*, user: int, apt: bool = True, sudo: bool = False, install: str = 'touch "$HOME/installed"') -> Machine:
        for tool in TOOLS:
            (commands / tool).symlink_to(str(shutil.which(tool)))
        add("python3", PYTHON.format(python=sys.executable))
        add("id", f"#!/bin/sh\necho {user}\n")
        if apt:
            add("apt-get", APT_GET.format(install=install))
            add("apt-cache", APT_CACHE)
        if sudo:
            add("sudo", SUDO)

        def run(python: str = "python3", **environment: str) -> subprocess.CompletedProcess[str]:
            variables = {
                "PATH": str(commands),
                "HOME": str(tmp_path),
                "LACKING": "libEGL.so.1|libegl1\nlibglib-2.0.so.0|libglib2.0-0t64 libglib2.0-0",
                **environment,
            }
            command = ["sh", str(root / ".ci/prepare-machine"), python]
            return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=30)

        return Machine(home=tmp_path, run=run)

    return make


def test_nothing_is_done_where_nothing_is_missing(machine: Callable[..., Machine]) -> None:
    here = machine(user=0)
    (here.home / "installed").touch()
    ran = here.run()
    assert (ran.returncode, ran.stdout, ran.stderr, here.log) == (0, "", "", "")


@pytest.mark.parametrize(("user", "sudo"), [(0, False), (1000, True)])
def test_what_is_missing_is_installed_where_it_may_be(machine: Callable[..., Machine], user: int, sudo: bool) -> None:
    here = machine(user=user, sudo=sudo)
    ran = here.run()
    assert ran.returncode == 0, ran.stderr
    assert "installing what this machine lacks: libEGL.so.1, libglib-2.0.so.0" in ran.stdout
    assert "apt-get update -qq\n" in here.log
    assert "apt-get install -y -qq --no-install-recommends libegl1 libglib2.0-0t64\n" in here.log
    assert ("sudo env DEBIAN_FRONTEND=noninteractive apt-get install" in here.log) is sudo


def test_an_older_release_gets_the_package_by_its_older_name(machine: Callable[..., Machine]) -> None:
    here = machine(user=0)
    assert here.run(UNKNOWN_PACKAGE="libglib2.0-0t64").returncode == 0
    assert here.log.splitlines()[-1].endswith("libegl1 libglib2.0-0")


def test_who_may_not_install_is_told_the_one_command(machine: Callable[..., Machine]) -> None:
    here = machine(user=1000)
    ran = here.run()
    assert ran.returncode == 1
    assert here.log == ""
    assert ran.stderr.strip() == (
        "perma_agent: this machine lacks libEGL.so.1, libglib-2.0.so.0. Run this, then make again: sudo apt-get update "
        "&& sudo apt-get install -y --no-install-recommends libegl1 libglib2.0-0t64"
    )


def test_another_distribution_is_told_what_to_look_for(machine: Callable[..., Machine]) -> None:
    ran = machine(user=0, apt=False).run()
    assert ran.returncode == 1
    assert "lacks libEGL.so.1, libglib-2.0.so.0, and there is no apt-get" in ran.stderr
    assert "Fedora: mesa-libGL" in ran.stderr


def test_a_failed_installation_stops(machine: Callable[..., Machine]) -> None:
    ran = machine(user=0, install="exit 100").run()
    assert ran.returncode == 1
    assert "apt-get could not install libegl1 libglib2.0-0t64" in ran.stderr


def test_an_installation_that_did_not_help_stops(machine: Callable[..., Machine]) -> None:
    ran = machine(user=0, install="true").run()
    assert ran.returncode == 1
    assert "still missing after installing libegl1 libglib2.0-0t64" in ran.stderr


def test_a_python_that_is_too_old_or_not_there_is_named(machine: Callable[..., Machine]) -> None:
    here = machine(user=0)
    ran = here.run("python9")
    assert ran.returncode == 1
    assert "found no python9" in ran.stderr
    old = here.home / "bin" / "python-old"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    ran = here.run("python-old")
    assert ran.returncode == 1
    assert "expected Python 3.11 or newer, but python-old is Python 3.9.2" in ran.stderr


def test_the_real_look_finds_nothing_missing_here(root: Path) -> None:
    ran = subprocess.run(
        ["sh", str(root / ".ci/prepare-machine"), sys.executable], env=os.environ, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")
