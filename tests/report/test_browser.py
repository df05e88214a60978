"""The page in a real browser: Debian's chromium with chromium-driver, without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples import report

from pipeline.report.page import render

selenium = pytest.importorskip("selenium", reason="selenium is not installed")
CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with chromium-driver here"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:selenium.*"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    file = tmp_path / "index.html"
    file.write_text(render(report()))
    browser.get(file.as_uri())
    return browser


def places(page: Any) -> list[str]:
    read = "return [...document.querySelectorAll('.tile')].map(t => getComputedStyle(t).backgroundPosition)"
    return page.execute_script(read)


def test_the_console_stays_empty(page: Any) -> None:
    assert page.get_log("browser") == []


def test_arrow_keys_on_the_slider_move_every_tile_to_the_next_frame(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    slider = page.find_element("css selector", "input[type=range]")
    assert places(page) == ["0% 0%", "0% 50%", "0% 100%"]
    slider.send_keys(Keys.ARROW_RIGHT)
    after = places(page)
    assert len({place.split()[0] for place in after}) == 1
    assert float(after[0].split("%")[0]) == pytest.approx(100 / 31, abs=0.01)
    assert slider.get_attribute("aria-valuetext") == "3 percent of each video"
    slider.send_keys(Keys.END)
    assert {place.split()[0] for place in places(page)} == {"100%"}


def test_another_video_shows_other_frames(page: Any) -> None:
    from selenium.webdriver.support.ui import Select

    read = "return getComputedStyle(document.querySelector('.tile')).backgroundImage"
    first = page.execute_script(read)
    Select(page.find_element("css selector", "select")).select_by_value("1")
    second = page.execute_script(read)
    assert first != second
    assert second.startswith('url("data:image/png')


def test_play_plays_until_it_is_paused(page: Any) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    button = page.find_element("css selector", "button")
    button.click()
    WebDriverWait(page, 20).until(lambda p: not places(p)[0].startswith("0%"))
    button.click()
    assert (button.text, button.get_attribute("aria-pressed")) == ("Play", "false")


def test_it_is_dark_where_dark_is_preferred(page: Any) -> None:
    def brightness(scheme: str) -> list[int]:
        preference = [{"name": "prefers-color-scheme", "value": scheme}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": preference})
        read = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        return [sum(map(int, text[4:-1].split(","))) for text in page.execute_script(read)]

    paper, ink = brightness("dark")
    assert paper < 150 < 600 < ink
    paper, ink = brightness("light")
    assert ink < 150 < 600 < paper


def test_a_phone_scrolls_in_one_direction_only(page: Any) -> None:
    phone = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
