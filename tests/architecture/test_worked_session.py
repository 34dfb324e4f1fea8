"""docs/protocol-session.md against a running exchange, and its frames against the AsyncAPI document."""

import re
from typing import Any

import httpx
import msgspec
import pytest

from exchange.protocol import messages as m
from exchange.protocol.asyncapi import asyncapi_document
from exchange.protocol.reject_codes import RejectCode
from tests.architecture.repository import DOCS, table_rows
from tests.architecture.worked_session import PAGE, page
from tests.exchange.gateway.parks import running_park

DOCUMENT = asyncapi_document("exchange.example:8765")


def resolved(ref: str) -> Any:
    found: Any = DOCUMENT
    for part in ref.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def refs(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [value["$ref"]] if "$ref" in value else [ref for entry in value.values() for ref in refs(entry)]
    return [ref for entry in value for ref in refs(entry)] if isinstance(value, list) else []


async def test_the_page_is_what_an_exchange_says() -> None:
    assert await page() == PAGE.read_text("utf-8"), "python -m tests.architecture.worked_session writes it anew"


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    found = refs(DOCUMENT)
    assert len(found) > 2 * len(m.REQUESTS)
    for ref in found:
        assert resolved(ref), ref


def test_the_document_has_every_message_and_both_directions() -> None:
    operations = DOCUMENT["operations"]
    assert {name for name, operation in operations.items() if operation["action"] == "receive"} == set(m.REQUESTS)
    sent = {name.removeprefix("notification.") for name, operation in operations.items() if operation["action"] == "send"}
    assert sent == set(m.NOTIFICATIONS)
    assert DOCUMENT["components"]["schemas"]["Error"]["properties"]["data"]["properties"]["code"]["enum"] == [int(c) for c in RejectCode if c]


def fields_of(schema: dict[str, Any]) -> set[str]:
    while "$ref" in schema:
        schema = resolved(schema["$ref"])
    return set(schema.get("properties", {}))


@pytest.mark.parametrize("method", sorted(m.REQUESTS))
def test_schemas_have_the_fields_of_the_messages(method: str) -> None:
    request = resolved(DOCUMENT["components"]["messages"][method]["payload"]["$ref"])
    assert set(request["properties"]) == {"method", "jsonrpc", "id", "params"}
    params = request["properties"]["params"]
    reference = params if "$ref" in params else next(entry for entry in params.get("allOf", params.get("anyOf", [])) if "$ref" in entry)
    cls = next(field.type for field in msgspec.structs.fields(m.REQUESTS[method]) if field.name == "params")
    assert fields_of(reference) == {field.encode_name for field in msgspec.structs.fields(cls)}


def test_the_frames_of_the_page_are_those_of_the_document() -> None:
    """Members of every frame, down to those of results and notifications."""
    methods: dict[int, str] = {}
    for direction, text in re.findall(r"^    (->|<-) (.*)$", PAGE.read_text("utf-8"), re.MULTILINE):
        frame = msgspec.json.decode(text)
        if direction == "->":
            methods[frame["id"]] = frame["method"]
            continue
        if "method" in frame:
            payload = DOCUMENT["components"]["messages"]["notification." + frame["method"]]["payload"]
            assert set(frame["params"]) <= fields_of(payload["properties"]["params"])
        elif "error" in frame:
            assert set(frame["error"]) == fields_of({"$ref": "#/components/schemas/Error"})
        else:
            result = DOCUMENT["components"]["messages"][methods[frame["id"]] + ".result"]["payload"]["properties"]["result"]
            assert any(set(frame["result"]) <= fields_of(schema) for schema in result.get("anyOf", [result]))


async def test_the_exchange_serves_the_document() -> None:
    async with running_park() as park:
        transport = httpx.ASGITransport(app=park.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://exchange.example:8765") as client:
            assert (await client.get("/asyncapi.json")).json() == DOCUMENT


def test_error_table_of_the_protocol_page() -> None:
    """The table of docs/protocol.md against that of docs/reject-codes.md, which is compared with the code."""
    of_codes = {tuple(row[:3]) for row in table_rows((DOCS / "reject-codes.md").read_text("utf-8"), 4) if row[0].isdigit()}
    of_protocol = {tuple(row[:3]) for row in table_rows((DOCS / "protocol.md").read_text("utf-8"), 3) if row[0].isdigit()}
    assert of_protocol == of_codes


def test_every_method_and_notification_is_on_the_protocol_page() -> None:
    text = (DOCS / "protocol.md").read_text("utf-8")
    missing = [name for name in (*m.REQUESTS, *m.NOTIFICATIONS) if f"`{name}`" not in text]
    assert missing == []
