"""The commit is that of our checkout and of no other."""

import subprocess
from pathlib import Path

import pytest

from perma_agent.evaluation import machine


@pytest.fixture
def checkout(tmp_path):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=e", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    (tmp_path / "code.py").write_text("1\n")
    git("init", "-q")
    git("add", "code.py")
    git("commit", "-q", "-m", "first")
    git("tag", "v1")
    return tmp_path


def test_commit_of_a_clean_checkout_is_its_hash_even_where_it_is_tagged(checkout):
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)
    assert machine.source_commit(checkout / "code.py") == head.stdout.strip()


def test_changed_code_is_marked_dirty_and_new_files_are_not(checkout):
    (checkout / "runs.json").write_text("{}")
    assert not machine.source_commit(checkout / "code.py").endswith("-dirty")
    (checkout / "code.py").write_text("2\n")
    assert machine.source_commit(checkout / "code.py").endswith("-dirty")


def test_a_package_installed_inside_somebody_elses_checkout_has_no_commit(checkout):
    installed = checkout / ".venv" / "machine.py"
    installed.parent.mkdir()
    installed.touch()
    assert machine.source_commit(installed) == "unknown"


def test_no_checkout_and_no_git(tmp_path, monkeypatch):
    (tmp_path / "code.py").touch()
    assert machine.source_commit(tmp_path / "code.py") == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.source_commit(Path(__file__)) == "unknown"


def test_processor_is_the_kernels_model_name(tmp_path, monkeypatch):
    information = tmp_path / "cpuinfo"
    information.write_text("processor\t: 0\nmodel name\t: Abacus 3000 @ 2GHz\nmodel name\t: other\n")
    monkeypatch.setattr(machine, "CPU_INFORMATION", information)
    described = machine.describe_machine()
    assert described.cpu == "Abacus 3000 @ 2GHz"
    assert described.cores >= 1
    assert described.torch[0].isdigit()


def test_a_processor_without_model_name_is_described_by_its_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CPU_INFORMATION", tmp_path / "missing")
    monkeypatch.setattr(machine.platform, "processor", lambda: "")
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    assert machine.describe_machine().cpu == "aarch64"
