"""The published shape: goals are computed, nonsense is refused, what is written reads back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perma_agent.errors import RunFolderError
from perma_agent.evaluation.machine import Machine
from perma_agent.evaluation.results import Row, Summary, goal_met, read_summary, write_summary
from perma_agent.evaluation.statistics import Estimate

MACHINE = Machine(cpu="Abacus", cores=2, torch="2.13.0")


def summary(*rows: Row) -> Summary:
    return Summary(
        study="demo",
        preset="default",
        command="perma-agent demo",
        commit="c0ffee",
        machine=MACHINE,
        date="2026-11-21T10:00:00+00:00",
        rows=rows,
    )


def row(**changes) -> Row:
    return Row(**{"id": "sda_change_accuracy", "mean": -2.1, "low": -2.6, "high": -1.7, "n": 3, **changes})


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (">= -2.7", -2.7, True),
        (">= -2.7", -2.71, False),
        ("<=1.5e-4", 1.5e-4, True),
        ("<= 1.5e-4", 1.6e-4, False),
        ("< 20", 20, False),
        ("< 20", 19.5, True),
        ("> .5", 0.5, False),
        ("> .5", 0.51, True),
        ("== 100", 100.0, True),
        ("== 0", 1e-9, False),
    ],
)
def test_goals(goal, value, met):
    assert goal_met(goal, value) is met


@pytest.mark.parametrize("goal", ["3", "=> 3", ">= three", ">= 3 points", "!= 3", "", ">= 3 or < 1", ">= inf"])
def test_goals_that_cannot_be_read_are_refused(goal):
    with pytest.raises(ValueError, match="expected a goal such as"):
        goal_met(goal, 1.0)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_goal_and_its_opposite_are_never_both_met(value, bound):
    assert goal_met(f">= {bound!r}", value) is not goal_met(f"< {bound!r}", value)
    assert goal_met(f"<= {bound!r}", value) is not goal_met(f"> {bound!r}", value)


def test_met_is_computed_from_the_mean():
    assert row(goal=">= -2.7").met is True
    assert row(goal=">= -2").met is False
    assert row().met is None
    with pytest.raises(TypeError, match="met"):
        row(met=True)


@pytest.mark.parametrize(
    ("low", "high", "met"), [(0.1, 2.0, True), (0.0, 2.0, False), (-0.1, 2.0, False), (-2.0, -1.0, False)]
)
def test_a_goal_may_ask_for_the_whole_interval(low, high, met):
    row = Row(id="gain", mean=(low + high) / 2, low=low, high=high, n=5, goal="> 0 beyond the interval")
    assert row.met is met
    assert Row.not_measured("gain", why="not yet", goal="> 0 beyond the interval").met is False


def test_row_of_an_estimate():
    made = Row.of("ratio", Estimate(value=4.0, low=3.0, high=5.0, n=3), unit="times", goal=">= 3", note="IQM")
    assert made == Row(id="ratio", mean=4.0, low=3.0, high=5.0, n=3, unit="times", goal=">= 3", note="IQM")


def test_an_unmeasured_bar_is_a_bar_not_met_and_says_why():
    made = Row.not_measured("gae_error", why="sb3-contrib is not installed", goal="<= 1e-6")
    assert (made.mean, made.low, made.high, made.n, made.met) == (None, None, None, 0, False)
    with pytest.raises(ValueError, match="a note that says why"):
        Row.not_measured("gae_error", why="")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "Change of accuracy"}, "expected a row id"),
        ({"mean": float("nan")}, "expected finite numbers"),
        ({"high": float("inf")}, "expected finite numbers"),
        ({"mean": "-2.1"}, "expected finite numbers"),
        ({"low": None}, "expected finite numbers"),
        ({"low": 3.0}, "expected low <= high"),
        ({"n": 1}, "low = mean = high where n is 1"),
        ({"n": 0}, "mean None exactly where n is 0"),
        ({"mean": None}, "mean None exactly where n is 0"),
        ({"goal": "about 3"}, "expected a goal such as"),
    ],
)
def test_rows_that_say_nonsense_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        row(**changes)


def test_summary_refuses_an_id_twice_and_a_date_that_is_none():
    with pytest.raises(ValueError, match="sda_change_accuracy more than once"):
        summary(row(), row())
    with pytest.raises(ValueError, match="yesterday"):
        Summary(study="demo", preset="p", command="c", date="yesterday", rows=())
    with pytest.raises(ValueError, match="expected a study"):
        Summary(study="Demo 1", preset="p", command="c", rows=())


def test_summary_finds_a_row_by_its_id():
    assert summary(row())["sda_change_accuracy"].mean == -2.1
    with pytest.raises(KeyError, match="expected one of sda_change_accuracy, got 'sda'"):
        summary(row())["sda"]


def test_what_is_written_reads_back_and_has_the_published_shape(tmp_path):
    written = summary(row(goal=">= -2.7", unit="points"), Row.not_measured("later", why="not yet"))
    write_summary(written, tmp_path / "summary.json")
    assert read_summary(tmp_path / "summary.json") == written
    document = json.loads((tmp_path / "summary.json").read_text())
    assert list(document) == ["study", "preset", "command", "commit", "machine", "date", "rows"]
    assert document["machine"] == {"cpu": "Abacus", "cores": 2, "torch": "2.13.0", "accelerator": None}
    assert document["rows"][0] == {
        "id": "sda_change_accuracy",
        "mean": -2.1,
        "low": -2.6,
        "high": -1.7,
        "n": 3,
        "unit": "points",
        "goal": ">= -2.7",
        "met": True,
        "note": "",
    }


def test_a_summary_of_now_names_commit_machine_and_date():
    made = Summary(study="demo", preset="debug", command="perma-agent demo --debug", rows=())
    assert made.machine.cores >= 1
    assert made.commit
    assert made.date.endswith("+00:00")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.pop("commit"), "none of ..commit"),
        (lambda document: document.update(extra=1), "strange ..extra"),
        (lambda document: document["rows"][0].pop("goal"), "none of ..goal"),
        (lambda document: document["rows"][0].update(met=False), "says met = False"),
        (lambda document: document["rows"][0].update(mean=-9.0), "says met = True"),
        (lambda document: document["rows"].append(3), "expected an object"),
        (lambda document: document.update(rows=3), "no summary of results"),
        (lambda document: document["machine"].update(host="here"), "no summary of results"),
    ],
)
def test_an_altered_summary_is_refused(tmp_path, change, message):
    path = tmp_path / "summary.json"
    write_summary(summary(row(goal=">= -2.7")), path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(RunFolderError, match=message):
        read_summary(path)


@pytest.mark.parametrize("text", ['{"study": ', "[]", "\xff"])
def test_a_damaged_summary_is_refused(tmp_path, text):
    path = tmp_path / "summary.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RunFolderError, match="run the study again"):
        read_summary(path)


def test_a_missing_summary_is_named(tmp_path):
    with pytest.raises(RunFolderError, match="no such file; run the study first"):
        read_summary(tmp_path / "summary.json")
