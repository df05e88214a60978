import base64
import re
from collections import Counter
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
import torch
from examples import report
from PIL import Image

from pipeline.report.page import render
from pipeline.report.sprites import COLUMNS, sprite

VOID = {"meta", "link", "img", "input", "br"}


class Outline(HTMLParser):
    """All elements with their attributes; fails where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> Outline:
    outline = Outline()
    outline.feed(render(report()))
    outline.close()
    return outline


def test_tags_match(page: Outline) -> None:
    assert page.open == []


def test_the_page_asks_for_no_other_file(page: Outline) -> None:
    addresses = [a[name] for _, a in page.elements for name in ("src", "href") if name in a]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"https?://(?!www\.w3\.org)|@import", render(report()))


def test_every_link_within_the_page_leads_somewhere_and_every_id_is_there_once(page: Outline) -> None:
    ids = Counter(a["id"] for _, a in page.elements if "id" in a)
    assert set(ids.values()) == {1}
    assert {a["href"][1:] for a in page.all("a")} <= ids.keys()
    named = {word for _, a in page.elements for word in (a.get("aria-labelledby") or "").split()}
    assert named <= ids.keys()


def test_a_screen_reader_finds_its_way(page: Outline) -> None:
    tags = Counter(name for name, _ in page.elements)
    assert (tags["main"], tags["h1"], tags["header"], tags["nav"]) == (1, 1, 1, 1)
    assert page.all("html") == [{"lang": "en"}]
    assert all(a.get("alt") for a in page.all("img"))
    assert all(a.get("scope") in {"row", "col"} for a in page.all("th"))
    assert tags["caption"] == tags["table"] == 6
    labelled = {a["for"] for a in page.all("label")}
    assert {a["id"] for tag in ("select", "input") for a in page.all(tag)} == labelled


def test_rows_that_were_not_computed_here_say_so_above_their_table(page: Outline) -> None:
    assert page.text.count("Not computed here: kept & committed.") == 1
    note = next(i for i, (_, a) in enumerate(page.elements) if a.get("class") == "note")
    films = next(i for i, (_, a) in enumerate(page.elements) if a.get("id") == "films")
    assert [name for name, _ in page.elements[films:note]] == ["section", "h2"]


def test_what_was_not_run_is_named_with_its_reason_and_nothing_is_taken_for_markup(page: Outline) -> None:
    assert "not run: no true <manifold>" in page.text
    assert "manifold" not in {name for name, _ in page.elements}


def test_what_moves_waits_until_it_is_asked_for(page: Outline) -> None:
    details = [i for i, (name, _) in enumerate(page.elements) if name == "details"]
    moving = next(i for i, (_, a) in enumerate(page.elements) if a.get("alt") == "it moves")
    assert max(i for i in details if i < moving) == moving - 2  # details, summary, img
    assert all("open" not in a for a in page.all("details"))


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render(report()) == render(report())


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sprite_holds_every_frame_where_the_script_looks_for_it(channels: int) -> None:
    grey = torch.arange(5).repeat_interleave(channels * 8 * 6).reshape(5, channels, 8, 6) / 255
    address = sprite([grey, grey + 0.5])
    picture = np.array(Image.open(BytesIO(base64.b64decode(address.partition(",")[2]))))
    assert picture.shape[:2] == (2 * 8, COLUMNS * 6)
    tiles = picture.reshape(2, 8, COLUMNS, 6, -1).mean((1, 3, 4))
    assert tiles[0, 0] == 0
    assert tiles[0, -1] == 4
    assert np.all(np.diff(tiles[0]) >= 0)
    np.testing.assert_allclose(tiles[1] - tiles[0], 127.5, atol=0.6)
