"""`perma-agent demo` end to end, and what it writes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from perma_agent.cli.main import offered
from perma_agent.continual.checkpoint import load_learner
from perma_agent.evaluation.results import read_summary

BARS = ("switch_lag_batches", "spurious_environments", "success_ratio_vs_random", "total_seconds")


def test_a_folder_with_anything_else_in_it_is_left_alone(say, tmp_path: Path, bytes_of) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    assert "with thesis.txt in it; name another with --folder" in say("demo", "--folder", tmp_path).complaint()
    assert bytes_of(tmp_path) == {"thesis.txt": b"precious"}


def test_a_file_in_its_place(say, beneath_a_file: Path) -> None:
    assert "got the file" in say("demo", "--debug", "--folder", beneath_a_file.parent).complaint()


@pytest.mark.slow
def test_the_debug_demo_from_a_shell(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "perma_agent.cli.main", "demo", "--debug", "--seed", "3", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280)
    assert ran.returncode == 0, ran.stderr
    folder = tmp_path / "runs" / "demo"
    summary = read_summary(folder / "summary.json")
    assert (summary.study, summary.preset) == ("demo", "debug")
    assert summary.command == "perma-agent demo --debug --seed 3"
    for bar in BARS:
        assert summary[bar].goal is not None
    assert json.loads(ran.stdout) == json.loads((folder / "summary.json").read_text())
    page = (folder / "report.html").read_text()
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)|url\((?!["']?data:)|<script|<link|@import""", page)
    assert page.count("data:image/png;base64,") >= 10
    assert summary.command in page
    assert load_learner(folder / "vase").step > 0
    again = subprocess.run(
        [*command[:-1], "--folder", str(folder / "vase")], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert again.returncode == 2  # a run folder is no demo: nothing of it is removed
    assert load_learner(folder / "vase").step > 0


def test_every_stage_of_the_demo_is_a_verb() -> None:
    assert {"demo", "collect", "pretrain", "train", "transfer", "inspect"} <= set(offered())
