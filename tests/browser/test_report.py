"""A report as a person meets it: a file from a folder, no network, either language, a desk or a telephone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clients.laboratory.report.build import build_report
from clients.laboratory.report.inputs import read_evidence
from tests.browser.devtools import Page, browser_page
from tests.clients.laboratory.report.folders import renamed, run_folder
from tests.clients.laboratory.report.park_day import park_record
from tests.conftest import find_browser

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DESK = (1280, 800)
PHONE = (390, 844)
NAME = "<b>Steel&%{x}</b>"
CHARTS = ("seeds", "prices", "days", "curves", "book", "flows", "savings", "carbon", "certificates")
DRAWN = "document.querySelectorAll('#{0} .main-svg').length > 0"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of rules with two seeds each, and a name that would like to be markup."""
    directory = tmp_path_factory.mktemp("report")
    runs = [
        run_folder(directory / f"{gate}-{seed}", renamed(park_record(2, seed, seed * int(gate), {"market.gate_closure_minutes": gate}), NAME))
        for gate in ("5", "60")
        for seed in (1, 2)
    ]
    file = directory / "report.html"
    file.write_text(build_report(read_evidence(runs)), "utf-8")
    return file


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page() -> AsyncIterator[Page]:
    browser = find_browser()
    assert browser is not None, "no Chromium found; .ci/install-browser installs it"
    async with browser_page(browser) as opened:
        await opened.call("Network.enable")
        await opened.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        yield opened


async def see_all(page: Page) -> None:
    """Scroll to every chart, as a reader does, until it is drawn."""
    for chart in CHARTS:
        await page.evaluate(f"document.getElementById('{chart}').scrollIntoView()")
        await page.wait_for(DRAWN.format(chart), timeout_s=30)


async def test_a_report_is_drawn_without_a_network(page: Page, report: Path) -> None:
    await page.open(report.as_uri(), *DESK)
    await page.wait_for("document.readyState === 'complete'")
    assert not await page.evaluate(DRAWN.format("certificates")), "charts out of sight wait"
    await see_all(page)
    assert await page.evaluate("performance.getEntriesByType('resource').length") == 0


async def test_texts_are_shown_in_one_language_at_a_time(page: Page) -> None:
    assert "cannot be told apart" in await page.text("#answer") or "Against" in await page.text("#answer")
    assert "结论" not in await page.text("main")
    await page.click("#language")
    assert await page.evaluate("document.documentElement.lang") == "zh-CN"
    assert "结论" in await page.text("#answer")
    assert "The answer" not in await page.text("main")
    await page.wait_for("document.querySelector('#prices .ytitle').textContent === '元/千瓦时'")
    assert "时段" in await page.text("#curves .controls")
    assert "：结果" in await page.evaluate("document.title")
    await page.click("#language")
    await page.wait_for("document.querySelector('#prices .ytitle').textContent === 'CNY/kWh'")


async def test_a_chosen_quarter_hour_is_drawn(page: Page) -> None:
    before = await page.evaluate("JSON.stringify(document.querySelector('#curves .chart').data[0].x)")
    said = await page.text("#curves .said")
    slider = "document.querySelector('#curves input[type=range]')"
    await page.evaluate(f"{slider}.value = 72; {slider}.dispatchEvent(new Event('input'))")
    await page.wait_for("document.querySelector('#curves output').textContent === '18:00–18:15'")
    assert await page.evaluate("JSON.stringify(document.querySelector('#curves .chart').data[0].x)") != before
    assert await page.text("#curves .said") != said


async def test_another_measure_has_its_own_axis(page: Page) -> None:
    choice = "document.querySelector('#seeds select')"
    option = "[...document.querySelectorAll('#seeds option')].findIndex(o => o.textContent === 'mean price')"
    await page.evaluate(f"{choice}.selectedIndex = {option}; {choice}.dispatchEvent(new Event('input'))")
    await page.wait_for("document.querySelector('#seeds .xtitle').textContent === 'mean price, CNY/kWh'")


async def test_a_name_from_a_file_stays_a_name(page: Page) -> None:
    await page.evaluate("document.querySelector('#savings details').open = true")
    assert NAME in await page.text("#savings table")
    await page.wait_for(f"[...document.querySelectorAll('#savings .ytick text')].some(t => t.textContent === '{NAME}')")


async def test_a_link_to_a_definition_opens_it(page: Page) -> None:
    assert not await page.evaluate("document.getElementById('definitions').open")
    await page.evaluate("document.querySelector('#measures a[href=\"#m-trades\"]').click()")
    await page.wait_for("document.getElementById('definitions').open")


async def test_light_and_dark(page: Page) -> None:
    line = "document.querySelector('#prices .chart').data[2].line.color"
    back = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(line), await page.evaluate(back)
    await page.click("#theme")
    await page.wait_for(f"{line} !== {light[0]!r}")
    assert await page.evaluate(back) != light[1]
    await page.click("#theme")
    await page.wait_for(f"{line} === {light[0]!r}")


@pytest.mark.parametrize(("size", "dark"), [(DESK, True), (PHONE, False), ((820, 1180), False), ((320, 640), True)])
async def test_a_page_is_as_wide_as_its_window(page: Page, report: Path, size: tuple[int, int], dark: bool) -> None:
    await page.open(report.as_uri(), *size, dark=dark)
    await page.wait_for("document.readyState === 'complete'")
    await see_all(page)
    assert await page.evaluate("document.documentElement.scrollWidth") == size[0]
    wide = "[...document.querySelectorAll('.chart .main-svg')].filter(svg => svg.getBoundingClientRect().right > innerWidth + 1).length"
    assert await page.evaluate(wide) == 0
    await page.click("#language")
    await asyncio.sleep(0.3)
    assert await page.evaluate("document.documentElement.scrollWidth") == size[0]


async def test_nothing_was_complained_about(page: Page) -> None:
    assert page.complaints == []
