"""An AsyncAPI 3 document of the socket, made from the message types: nothing in it is written by hand but its introduction."""

from typing import Any, Final

import msgspec

from exchange.protocol.encoding import ENCODINGS
from exchange.protocol.messages import DRY_RUN_RESULTS, NOTIFICATIONS, PROTOCOL_VERSION, REQUESTS, RESULTS, WEBSOCKET_PATH
from exchange.protocol.reject_codes import JSON_RPC_CODES, MESSAGES, RejectCode

ASYNCAPI_VERSION: Final = "3.0.0"
ASYNCAPI_PATH: Final = "/asyncapi.json"
_SCHEMA_REF: Final = "#/components/schemas/{name}"
_SOCKET: Final = "#/channels/socket"
_ABOUT: Final = (
    "JSON-RPC 2.0 over one WebSocket, in JSON or, by subprotocol, in MessagePack. A request is one frame and gets one answer with its id; "
    "notifications come by themselves. docs/protocol.md says what the messages mean."
)


def asyncapi_document(host: str) -> dict[str, Any]:
    """The document for an exchange at `host` (name and port). The application is the exchange: it receives requests and sends notifications."""
    types = [*REQUESTS.values(), *RESULTS.values(), *DRY_RUN_RESULTS.values(), *NOTIFICATIONS.values()]
    refs, schemas = msgspec.json.schema_components(types, ref_template=_SCHEMA_REF)
    schema_of = dict(zip(types, refs, strict=True))
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for method, cls in REQUESTS.items():
        messages[method] = {"name": method, "title": f"request {method}", "payload": schema_of[cls]}
        results = [RESULTS[method], *([DRY_RUN_RESULTS[method]] if method in DRY_RUN_RESULTS else [])]
        any_of = [schema_of[result] for result in results]
        result = any_of[0] if len(any_of) == 1 else {"anyOf": any_of}
        messages[f"{method}.result"] = {"name": f"{method}.result", "title": f"answer to {method}", "payload": _answer({"result": result})}
        operations[method] = {
            "action": "receive",
            "channel": {"$ref": _SOCKET},
            "messages": [_message(method)],
            "reply": {"channel": {"$ref": _SOCKET}, "messages": [_message(f"{method}.result"), _message("error")]},
        }
    messages["error"] = {"name": "error", "title": "refusal of a request", "payload": _answer({"error": {"$ref": _SCHEMA_REF.format(name="Error")}})}
    for method, params in NOTIFICATIONS.items():
        name = f"notification.{method}"
        messages[name] = {"name": name, "title": f"notification {method}", "payload": _notification(method, schema_of[params])}
        operations[name] = {"action": "send", "channel": {"$ref": _SOCKET}, "messages": [_message(name)]}
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {"title": "parkex", "version": str(PROTOCOL_VERSION), "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {"exchange": {"host": host, "protocol": "ws", "pathname": WEBSOCKET_PATH}},
        "channels": {
            "socket": {
                "address": WEBSOCKET_PATH,
                "description": "Subprotocols: " + ", ".join(encoding.subprotocol for encoding in ENCODINGS.values()) + ".",
                "messages": {name: {"$ref": f"#/components/messages/{_escaped(name)}"} for name in messages},
            }
        },
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas | {"Error": _error_schema()}},
    }


def _message(name: str) -> dict[str, str]:
    return {"$ref": f"{_SOCKET}/messages/{_escaped(name)}"}


def _escaped(name: str) -> str:
    """A member's name within a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _answer(member: dict[str, Any]) -> dict[str, Any]:
    request_id: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 64}, {"type": "null"}]}
    properties = {"jsonrpc": {"const": "2.0"}, "id": request_id} | member
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _notification(method: str, params: dict[str, Any]) -> dict[str, Any]:
    properties = {"jsonrpc": {"const": "2.0"}, "method": {"const": method}, "params": params}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _error_schema() -> dict[str, Any]:
    codes = [code for code in RejectCode if code is not RejectCode.ACCEPTED]
    own = sorted({JSON_RPC_CODES.get(code, int(code)) for code in codes})
    data = {"type": "object", "properties": {"code": {"enum": [int(code) for code in codes]}}, "required": ["code"]}
    return {
        "title": "Error",
        "description": "`data.code` is the reject code, of which `message` is a function; `code` is JSON-RPC's own where it has one.",
        "type": "object",
        "properties": {"code": {"enum": own}, "message": {"enum": sorted({MESSAGES[code] for code in codes})}, "data": data},
        "required": ["code", "message", "data"],
        "additionalProperties": False,
    }
