"""The page holds everything itself, escapes what it is told, and shows goals as they came out."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from perma_agent.evaluation.machine import Machine
from perma_agent.evaluation.report import Details, Page, Picture, Section, Table, Text, render, write_page
from perma_agent.evaluation.report.blocks import format_value, table_markdown
from perma_agent.evaluation.report.reconstructions import traversal_sheet
from perma_agent.evaluation.report.style import new_figure, png
from perma_agent.evaluation.results import Row, Summary
from perma_agent.evaluation.statistics import Estimate

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and sees to it that what opens is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data.strip())

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def picture(figure=None, **changes) -> Picture:
    if figure is None:
        figure = new_figure(2.0, 1.0)
        figure.subplots().plot([0, 1], [0, 1])
    values = {"alt": "a line", "caption": "It rises.", "command": "perma-agent demo --seed 3", "seed": 3, **changes}
    return Picture(figure=figure, **values)


def summary(*rows) -> Summary:
    return Summary(
        study="demo",
        preset="default",
        command="perma-agent demo --seed 3",
        commit="c0ffee",
        machine=Machine(cpu="Abacus", cores=2, torch="2.13.0"),
        date="2026-11-21T10:00:00+00:00",
        rows=rows,
    )


def page(*blocks, rows=(), title="Report", **changes) -> Page:
    sections = (Section(title="Environments over time", blocks=blocks),)
    return Page(
        **{"title": title, "introduction": "One.\n\nTwo.", "sections": sections, "summary": summary(*rows), **changes}
    )


def test_nothing_is_fetched_and_every_figure_is_inline():
    text = render(page(picture(), Details(summary="more", blocks=(picture(),))))
    reader = Reader(text)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|javascript", re.sub(r"base64,[^\"]*", "", text), re.IGNORECASE)
    assert {tag for tag, _ in reader.tags}.isdisjoint({"script", "link", "iframe", "object", "base", "form"})
    addresses = [a.get("href") or a.get("src") for _, a in reader.tags if "href" in a or "src" in a]
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)
    images = reader.all("img")
    assert len(images) == 2
    for image in images:
        decoded = Image.open(io.BytesIO(base64.b64decode(image["src"].split(",")[1])))
        assert decoded.size == (300, 150)  # 2 by 1 inches at 150 pixels an inch
        assert (image["width"], image["height"], image["alt"]) == ("200", "100", "a line")
    policies = [meta["content"] for meta in reader.all("meta") if "http-equiv" in meta]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_text_is_escaped_wherever_it_comes_from():
    evil = "<script>alert('&\"')</script>"
    row = Row(id="a", mean=1.0, low=1.0, high=1.0, n=1, unit=evil, goal=">= 1", note=evil)
    blocks = (
        Text(text=evil),
        picture(alt=evil, caption=evil, command=evil, seed=evil),
        Table(header=(evil,), rows=((evil,),), caption=evil),
        Details(summary=evil, blocks=(Text(text=evil),)),
    )
    reader = Reader(render(page(*blocks, rows=(row,), title=evil, introduction=evil)))
    assert "script" not in {tag for tag, _ in reader.tags}
    assert reader.texts.count(evil) >= 10
    assert reader.all("img")[0]["alt"] == evil


def test_captions_name_command_and_seed():
    reader = Reader(render(page(picture(seed="0 to 4"))))
    assert "perma-agent demo --seed 3" in reader.texts
    assert ", seed 0 to 4" in reader.texts
    for lacking in ("alt", "caption", "command"):
        with pytest.raises(ValueError, match=f"got no {lacking}"):
            picture(**{lacking: " "})


def test_tiles_show_value_interval_goal_and_verdict():
    rows = (
        Row.of("switch_lag_batches", Estimate.exact(12), unit="batches", goal="<= 20"),
        Row.of("success_ratio", Estimate(value=2.04, low=1.5, high=2.61, n=3), unit="times", goal=">= 3"),
        Row.of("frames", Estimate.exact(12345)),
        Row.not_measured("total_seconds", why="interrupted", unit="s", goal="<= 600"),
    )
    reader = Reader(render(page(rows=rows)))
    tiles = [item.get("class") for item in reader.all("li") if "class" in item]
    assert tiles == ["met", "short", "short"]
    joined = " ".join(text for text in reader.texts if text)
    assert "switch lag batches 12 batches goal ≤ 20 batches ✓ reached" in joined
    assert "success ratio 2.04 times 1.5 to 2.61, n = 3 goal ≥ 3 times ✗ not reached" in joined
    assert "total seconds – s goal ≤ 600 s ✗ not reached interrupted" in joined
    chosen = Reader(render(page(rows=rows, tiles=("frames",))))
    assert [item.get("class") for item in chosen.all("li") if "class" in item] == [""]
    assert "12,345" in chosen.texts


def test_every_row_and_how_it_was_made_stand_at_the_end():
    reader = Reader(render(page(rows=(Row.of("frames", Estimate.exact(5), note="all of them"),))))
    for text in ("Abacus, 2 cores", "c0ffee", "2.13.0", "All 1 figures", "frames", "all of them"):
        assert text in reader.texts


def test_anchors_are_unique_and_reached_from_the_contents():
    titles = ("The policy", "The policy!", "How this was made", "→")
    sections = tuple(Section(title=title, blocks=()) for title in titles)
    reader = Reader(render(page(sections=sections)))
    ids = [section["id"] for section in reader.all("section")]
    assert ids == ["the-policy", "the-policy-2", "how-this-was-made-2", "section", "how-this-was-made"]
    assert {link["href"] for link in reader.all("a")} == {f"#{id}" for id in ids}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (1234567, "1,234,567"),
        (3.0, "3"),
        (0.00012345, "0.0001234"),
        (31.2345, "31.23"),
        (12345.6, "12,346"),
        (-2.7, "-2.7"),
        (float("nan"), "nan"),
        (np.float64(0.5), "0.5"),
        ("text", "text"),
    ],
)
def test_numbers_are_short(value, text):
    assert format_value(value) == text


def test_tables_must_be_rectangular():
    with pytest.raises(ValueError, match="expected 2 cells in each row"):
        Table(header=("a", "b"), rows=((1, 2), (1,)))


def test_the_same_page_is_the_same_file(tmp_path):
    figure = picture().figure
    assert png(figure) == png(figure)
    write_page(page(picture(figure)), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render(page(picture(figure)))


def test_a_traversal_sheet_of_pure_noise_is_small_enough_for_two_of_them_and_all_else_in_five_megabytes():
    noise = np.random.default_rng(0).integers(0, 256, (32, 7, 3, 64, 64), dtype=np.uint8)
    sheet = traversal_sheet(noise, values=np.linspace(-2, 2, 7), information=np.arange(32.0), environment=0)
    assert len(render(page(picture(sheet)))) < 1.75e6


def test_a_table_as_markdown_by_hand() -> None:
    table = Table(header=("arm", "q(s|x)"), rows=[("sda", 0.5), ("none", None)], caption="Two arms.")
    assert table_markdown(table) == "Two arms.\n\n| arm | q(s&#124;x) |\n| --- | --- |\n| sda | 0.5 |\n| none | – |\n"
    assert table_markdown(Table(header=("a",), rows=[(1,)])) == "| a |\n| --- |\n| 1 |\n"
