"""The operator's pages against the code; `python -m tests.architecture.configuration_table` writes the tables of settings anew."""

import re

from prometheus_client.parser import text_string_to_metric_families

from exchange.gateway.app import create_app
from exchange.gateway.probes import Probes
from tests.architecture.configuration_table import PAGE, page_with_tables, tables
from tests.architecture.repository import DOCS, ROOT, code_names, table_rows
from tests.exchange.gateway.parks import running_park
from tests.exchange.gateway.test_operations import scrape

OPERATIONS = (DOCS / "guides" / "operations.md").read_text("utf-8")


def test_the_page_says_what_the_settings_are() -> None:
    text = PAGE.read_text("utf-8")
    assert page_with_tables(text) == text
    assert re.findall(r"<!-- table (\w+) -->", text) == list(tables())


def test_every_logged_event_is_on_the_page() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "exchange").rglob("*.py"))
    logged = set(re.findall(r'(?:log_event\(\w+, [\w.]+|_made\([\w.]+), "([^"]+)"', source))
    listed = {name for row in table_rows(OPERATIONS, 3) for name in code_names(row[0]) if not name.startswith(("parkex_", "/"))}
    assert logged == listed


async def test_every_metric_is_on_the_page() -> None:
    """Names as Prometheus stores them; the process's own come from its client library."""
    async with running_park() as park:
        probes = Probes(read_model_sequence=lambda: 0, journal_directory=ROOT)
        text = (await scrape(create_app(park.node, probes=probes))).text
    told = {family.name + ("_total" if family.type == "counter" else "") for family in text_string_to_metric_families(text)}
    listed = {name for row in table_rows(OPERATIONS, 3) for name in code_names(row[0]) if name.startswith("parkex_")}
    assert listed == {name for name in told if name.startswith("parkex_")}


async def test_every_route_is_in_the_protocol_s_table() -> None:
    """With its parameters, as `GET /v1/trades?instrument=&limit=`."""
    async with running_park() as park:
        paths = park.app.openapi()["paths"]
    routes = set()
    for path, operations in paths.items():
        for method, operation in operations.items():
            names = [f"{p['name']}=" for p in operation.get("parameters", []) if p["in"] == "query"]
            routes.add(f"{method.upper()} {path}" + (f"?{'&'.join(names)}" if names else ""))
    page = (DOCS / "protocol.md").read_text("utf-8")
    assert {name for row in table_rows(page, 2) for name in code_names(row[0]) if name.startswith(("GET ", "POST "))} == routes
