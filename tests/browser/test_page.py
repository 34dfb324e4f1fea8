"""The page as a person meets it: a real server, a headless Chromium, one market that the tests move on step by step."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from exchange.protocol.documents import ListInstruments
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_MINUTE, PERIOD_NS
from matching.records import Side
from tests.browser.devtools import Page, browser_page
from tests.conftest import find_browser
from tests.exchange.order_path.park import DAY_NS, OPEN_NS, block_spec, power_spec
from tests.running_market import Market, running_market

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ROW = "[...document.querySelectorAll('#contracts-body tr')].find(row => row.innerText.includes('{0}'))"
DESK = (1280, 800)
PHONE = (390, 844)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market() -> AsyncIterator[Market]:
    async with running_market() as running:
        await running.place(running.load, "GP-20260715-1000", Side.BUY, 4_000, 500)
        await running.place(running.load, "GP-20260715-1000", Side.BUY, 3_900, 250)
        await running.place(running.plant, "GP-20260715-1000", Side.SELL, 4_200, 800)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(market: Market) -> AsyncIterator[Page]:
    browser = find_browser()
    assert browser is not None, "no Chromium found; .ci/install-browser installs it"
    async with browser_page(browser) as opened:
        await opened.open(market.url, *DESK)
        yield opened


async def row_text(page: Page, name: str) -> str:
    return str(await page.evaluate(ROW.format(name) + "?.innerText ?? ''"))


async def test_contracts_show_their_quotes(page: Page) -> None:
    await page.wait_for("document.querySelectorAll('#contracts-body tr').length === 4")
    await page.wait_for(ROW.format("10:00–10:15") + ".innerText.includes('0.4000')")
    assert "0.4200" in await row_text(page, "10:00–10:15")
    assert await page.text("#connection") == "live"
    assert await page.text("#clock") == "16:00"
    await page.wait_for("document.getElementById('gate').innerText === 'gate of 10:00–10:15 closes in 17 h 55 min'")
    assert await page.evaluate("document.getElementById('tab-blocks').hidden")


async def test_the_next_gate_is_followed_and_its_book_shown(page: Page) -> None:
    await page.wait_for("document.querySelectorAll('#bids tr').length === 2")
    assert (await page.text("#book-symbol")).strip() == "10:00–10:15"
    assert (await page.text("#bids")).split() == ["1", "50.0", "0.4000", "1", "25.0", "0.3900"]
    assert (await page.text("#asks")).split() == ["1", "80.0", "0.4200"]
    assert "spread 0.0200" in await page.text("#spread")


async def test_a_trade_reaches_tape_ladder_and_figures(page: Page, market: Market) -> None:
    await market.place(market.load, "GP-20260715-1000", Side.BUY, 4_200, 300)
    await page.wait_for("document.querySelectorAll('#tape-body tr').length === 1")
    assert (await page.text("#tape-body")).split() == ["16:00", "10:00–10:15", "30.0", "0.4200"]
    await page.wait_for("document.getElementById('asks').innerText.includes('50.0')")
    await page.wait_for("document.getElementById('n-trades').innerText === '1'")
    assert await page.text("#n-orders") == "4"
    assert await page.text("#n-energy") == "30"
    assert await page.text("#n-participants") == "2"
    assert (await row_text(page, "10:00–10:15")).split()[-1] == "0.4200"


async def test_units_are_marked_as_models(page: Page, market: Market) -> None:
    await page.click("#tab-units")
    await market.place(market.plant, "CEA25", Side.SELL, 6_200, 10)
    await page.wait_for(ROW.format("CEA25") + "?.innerText.includes('62.00')")
    assert "model" in await row_text(page, "CEA25")
    assert "internal" in await row_text(page, "PCC-2026")
    assert "transfers nothing in law" in await page.text("#units-note")
    assert "without legal transfer" in await page.text(".foot")


async def test_a_book_chosen_by_hand_stays(page: Page) -> None:
    await page.evaluate(ROW.format("CEA25") + ".click()")
    await page.wait_for("document.getElementById('asks').innerText.includes('62.00')")
    assert (await page.text("#book-symbol")).strip() == "CEA25"
    assert await page.evaluate("document.getElementById('follow').getAttribute('aria-pressed')") == "false"
    await page.click("#follow")
    await page.wait_for("document.getElementById('book-symbol').innerText.trim() === '10:00–10:15'")


async def test_the_other_language(page: Page) -> None:
    await page.click("#language")
    await page.wait_for("document.documentElement.lang === 'zh-CN'")
    assert "买价" in await page.text(".contracts thead")
    assert "关闸" in await page.text("#book-meta")
    assert "订单簿" in await page.text(".book h2")
    await page.click("#language")
    await page.wait_for("document.documentElement.lang === 'en'")


async def test_charts_are_drawn(page: Page) -> None:
    await page.wait_for("document.querySelectorAll('#curve .scatterlayer .trace').length >= 4", timeout_s=30)
    assert "No period is metered yet" in await page.text("#energy")


async def test_a_contract_listed_later_appears(page: Page, market: Market) -> None:
    await market.document(ListInstruments(instruments=[power_spec(44)]))
    await page.wait_for("document.querySelectorAll('#contracts-body tr').length === 5")
    assert "11:00–11:15" in await page.text("#contracts-body")


async def test_blocks_have_a_list_of_their_own_and_say_what_a_quantity_is(page: Page, market: Market) -> None:
    await market.document(ListInstruments(instruments=[block_spec(index=41, periods=3)]))
    await page.wait_for("!document.getElementById('tab-blocks').hidden")
    await page.click("#tab-blocks")
    await market.place(market.load, "GP-20260715-PEAK", Side.BUY, 4_500, 70)
    await page.wait_for(ROW.format("10:15–11:00") + "?.innerText.includes('0.4500')")
    assert "PEAK" in await row_text(page, "10:15–11:00")
    await page.evaluate(ROW.format("10:15–11:00") + ".click()")
    await page.wait_for("document.getElementById('bids').innerText.includes('7.0')")
    assert "3 quarter-hours, kWh in each" in await page.text("#book-meta")
    await page.click("#language")
    await page.wait_for("document.getElementById('book-meta').innerText.includes('共 3 个时段')")
    assert "多时段合约" in await page.text(".tabs")
    await page.click("#language")
    await page.click("#follow")
    await page.wait_for("document.querySelectorAll('#contracts-body tr').length === 5")


async def test_a_call_phase_shows_its_end_and_what_its_auction_would_come_to(page: Page, market: Market) -> None:
    called, end_ns = "GP-20260715-1115", OPEN_NS + 15 * NS_PER_MINUTE
    terms = {"opening_auction_ns": 15 * NS_PER_MINUTE, "auction_price_rule": "k"}
    await market.document(ListInstruments(instruments=[power_spec(39, **terms), power_spec(45, **terms)]))
    await page.wait_for(ROW.format("11:15–11:30") + " !== undefined")
    await page.evaluate(ROW.format("11:15–11:30") + ".click()")
    await market.place(market.load, called, Side.BUY, 5_000, 100)
    await page.wait_for("document.getElementById('spread').innerText === 'nothing crosses yet'")
    await market.place(market.plant, called, Side.SELL, 4_000, 100)
    await page.wait_for("document.getElementById('spread').innerText === 'auction now: 0.4500 for 10.0'")
    assert "opening auction · orders gather until 16:15" in await page.text("#book-meta")
    await page.wait_for("document.getElementById('gate').innerText === 'opening auction until 16:15'")
    await page.click("#language")
    await page.wait_for("document.getElementById('spread').innerText.includes('模拟匹配价 0.4500')")
    assert "开盘集合竞价 · 集合申报至 16:15" in await page.text("#book-meta")
    await page.click("#language")
    await market.tick(end_ns)
    await page.wait_for("document.querySelector('#tape-body tr').className === 'auction'")
    assert (await page.text("#tape-body")).split()[:4] == ["16:15", "11:15–11:30", "10.0", "0.4500"]
    await page.wait_for("document.getElementById('book-meta').innerText.includes('· open ·')")
    # The page hears of the time when the next quotes or figures come.
    await page.wait_for("document.getElementById('gate').innerText === 'gate of 09:45–10:00 closes in 17 h 25 min'")
    await page.click("#follow")


async def test_gate_closure_moves_on(page: Page, market: Market) -> None:
    await market.tick(DAY_NS + 40 * PERIOD_NS - 5 * NS_PER_MINUTE)
    await page.wait_for(ROW.format("10:00–10:15") + ".dataset.phase === 'gate_closed'")
    await page.wait_for("document.getElementById('book-symbol').innerText.trim() === '10:15–10:30'")
    await page.wait_for("document.getElementById('gate').innerText === 'gate of 10:15–10:30 closes in 15 min'")


async def test_energy_of_a_metered_period(page: Page, market: Market) -> None:
    await market.tick(DAY_NS + 41 * PERIOD_NS)
    await market.meter(40, generation_wh=600_000, consumption_wh=900_000)
    await page.wait_for("document.querySelectorAll('#energy .bars .point').length >= 2", timeout_s=30)
    heights = await page.evaluate("document.getElementById('energy').data.map(trace => trace.y[0])")
    assert heights == [600, 300, 0, 900]


async def test_a_lost_connection_comes_back(page: Page, market: Market) -> None:
    for connection in list(market.hub.connections):
        connection.end(RejectCode.NOT_ACCEPTING)
    await page.wait_for("document.getElementById('connection').dataset.state !== 'live'")
    await page.wait_for("document.getElementById('connection').dataset.state === 'live'")
    await market.place(market.load, "GP-20260715-1030", Side.BUY, 3_500, 100)
    await page.wait_for(ROW.format("10:30–10:45") + ".innerText.includes('0.3500')")


@pytest.mark.parametrize(("size", "dark"), [(DESK, False), (DESK, True), (PHONE, False), ((820, 1180), False)])
async def test_the_page_fits_its_window(page: Page, market: Market, size: tuple[int, int], dark: bool) -> None:
    await page.open(market.url, *size, dark=dark)
    await page.wait_for("document.querySelectorAll('#contracts-body tr').length === 7")
    await page.wait_for("document.querySelectorAll('#tape-body tr').length === 2")  # trades from before the page was opened
    width, height = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert width <= size[0]
    if size == DESK:
        assert height <= size[1]
    if directory := os.environ.get("PARKEX_SCREENSHOTS"):
        await asyncio.sleep(2)
        await page.screenshot(Path(directory) / f"page-{size[0]}{'-dark' if dark else ''}.png")


async def test_nothing_was_complained_of(page: Page) -> None:
    assert page.complaints == []
