"""The codes: both from the same frames, kept, gone on with where they were stopped, and never mixed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from perma_agent.continual.checkpoint import load_learner, load_model
from perma_agent.errors import RunFolderError
from perma_agent.studies.transfer.sample_efficiency import pretraining
from perma_agent.studies.transfer.sample_efficiency.pretraining import code_folder, is_pretrained, measure_pretraining


def nothing(work: float) -> None:
    """No progress bar."""


@pytest.fixture
def measure(few, room, tmp_path):
    """Pretrain in a folder; other settings may be given."""

    def run(advance=nothing, config=few, folder=tmp_path):
        return measure_pretraining(config, room, "room", 0, folder, advance)

    return run


def weights(folder, code):
    return load_model(code_folder(folder, "room", 0) / code).model.state_dict()


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def line_of(folder, code):
    """The first that the code's learning logged."""
    return (code_folder(folder, "room", 0) / code / "metrics.jsonl").read_text().splitlines()[0]


def test_both_codes_are_made_and_kept(measure, few, tmp_path):
    assert not is_pretrained(tmp_path, "room", 0)
    figures = measure().figures
    assert is_pretrained(tmp_path, "room", 0)
    assert figures["frames"] == 60 and {"vase_seconds", "vae_seconds", "collecting_seconds"} <= set(figures)
    learners = {code: load_learner(code_folder(tmp_path, "room", 0) / code) for code in ("vase", "vae")}
    assert learners["vase"].config == few.vase and learners["vae"].config == few.vae
    assert learners["vase"].step == learners["vae"].step == few.updates
    first = [json.loads(line_of(tmp_path, code))["loss/reconstruction"] for code in learners]
    assert first[0] == first[1]  # one network, one noise, one batch
    assert not (code_folder(tmp_path, "room", 0) / "frames").exists()  # the record stays, the frames are dropped
    done = []
    again = measure(done.append)
    assert done == [] and again.figures == figures  # nothing is learnt twice


@pytest.fixture(scope="module")
def whole(few, room, tmp_path_factory):
    """A pretraining that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    measure_pretraining(few, room, "room", 0, folder, nothing)
    return folder


class Killed(Exception):
    """Stands for a process that died."""


@pytest.mark.parametrize("at", [3, 32, 36])
def test_a_killed_pretraining_ends_as_if_it_had_not_been(measure, whole, tmp_path, at):
    """Calls 1 to 30 record, 31 to 34 are the VASE's batches, 35 to 38 the VAE's."""
    calls = 0

    def dying(work):
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed

    cut = tmp_path / "cut"
    with pytest.raises(Killed):
        measure(dying, folder=cut)
    assert not is_pretrained(cut, "room", 0)
    measure(folder=cut)
    for code in ("vase", "vae"):
        assert same(weights(whole, code), weights(cut, code))


def test_a_code_that_was_whole_before_its_record_is_not_learnt_twice(measure, tmp_path):
    measure()
    record = code_folder(tmp_path, "room", 0) / "pretraining.json"
    document = json.loads(record.read_text())
    del document["seconds"]["vae"]
    record.write_text(json.dumps(document))
    before = weights(tmp_path, "vae")
    figures = measure().figures
    assert figures["vae_seconds"] is None and same(before, weights(tmp_path, "vae"))


def test_codes_of_other_settings_are_refused(measure, few):
    measure()
    with pytest.raises(RunFolderError, match=r"^expected codes in .* that were pretrained with the present settings"):
        measure(config=replace(few, updates=5))


def test_a_damaged_record_is_refused(measure, tmp_path):
    measure()
    (code_folder(tmp_path, "room", 0) / pretraining.RECORD).write_text("{")
    with pytest.raises(RunFolderError, match=r"^expected JSON in .*pretraining.json, got: .*; delete "):
        measure()
