"""The command line: verbs, exit codes, and one sentence for what a user can put right."""

from __future__ import annotations

import errno
import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from perma_agent.cli import main as command_line
from perma_agent.cli.main import INTERRUPTED, VERBS, main, offered
from perma_agent.errors import StoreError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A verb for tests."""

    steps: int = 3
    """How many."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"expected steps of at least 1, got {self.steps}; ask for more")


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A verb `collect` whose `run` the test sets."""
    module = ModuleType("perma_agent.cli.collect")
    module.Config = Config
    module.__spec__ = importlib.util.spec_from_loader("perma_agent.cli.collect", loader=None)
    monkeypatch.setitem(sys.modules, "perma_agent.cli.collect", module)
    return module


def _failing(error: BaseException):
    def run(config: Config) -> int:
        raise error

    return run


def test_help_lists_exactly_the_verbs_whose_file_exists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert shown == [verb for verb in VERBS if importlib.util.find_spec(f"perma_agent.cli.{verb}")]
    assert {"levels", "doctor"} <= set(shown)


def test_nothing_to_do_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: perma-agent VERB")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from perma_agent.version import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"perma-agent {__version__}\n"


def test_unknown_verb_names_the_valid_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["level"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"perma-agent: expected one of the verbs {', '.join(offered())}, got 'level'; see perma-agent --help\n"
    )


@pytest.mark.parametrize("verb_name", sorted(offered()))
def test_every_verb_explains_itself_and_refuses_unknown_options(
    verb_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb_name, "--help"]) == 0
    assert f"usage: perma-agent {verb_name}" in capsys.readouterr().out
    assert main([verb_name, "--no-such-option"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("perma-agent: unrecognized options: --no-such-option")


@pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (1, 1)])
def test_the_verbs_answer_is_the_exit_code(verb: ModuleType, answer: int | None, code: int) -> None:
    verb.run = lambda config: answer
    assert main(["collect"]) == code


def test_the_verb_gets_its_arguments(verb: ModuleType) -> None:
    got = []
    verb.run = got.append
    assert main(["collect", "--steps", "7"]) == 0
    assert got == [Config(steps=7)]


def test_an_error_of_ours_is_one_line_on_stderr(verb: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    verb.run = _failing(StoreError("expected a store,\n  got nothing; record one"))
    assert main(["collect"]) == 2
    assert capsys.readouterr().err == "perma-agent: expected a store, got nothing; record one\n"


def test_a_config_that_refuses_its_values_is_one_line(verb: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    verb.run = _failing(AssertionError("must not run"))
    assert main(["collect", "--steps", "0"]) == 2
    expected = "perma-agent: expected steps of at least 1, got 0; ask for more; see perma-agent collect --help\n"
    assert capsys.readouterr().err == expected


def test_a_full_disk_is_one_line(verb: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    verb.run = _failing(OSError(errno.ENOSPC, "No space left on device", "runs/a"))
    assert main(["collect"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("perma-agent: No space left on device (runs/a); free some space")
    assert said.count("\n") == 1


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), OSError(errno.EBADF, "Bad file descriptor")])
def test_a_bug_keeps_its_traceback(verb: ModuleType, error: Exception) -> None:
    verb.run = _failing(error)
    with pytest.raises(type(error)):
        main(["collect"])


def test_interrupted(verb: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    verb.run = _failing(KeyboardInterrupt())
    assert main(["collect"]) == INTERRUPTED == 130
    assert capsys.readouterr().err == "perma-agent: interrupted\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m perma_agent.cli.main --help; echo code $? >&2"
    ran = subprocess.run(
        ["bash", "-c", f"trap '' PIPE; ({command}) | true"], capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in ran.stderr
    assert "BrokenPipe" not in ran.stderr


def test_the_installed_command_exits_with_the_code() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "perma_agent.cli.main", "nothing"], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


def test_each_verb_is_described() -> None:
    assert all(command_line.VERBS.values())
