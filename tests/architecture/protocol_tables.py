"""The tables of docs/protocol-fields.md from the code they describe.

    python -m tests.architecture.protocol_tables     # writes the tables of the page anew, after a change of the messages
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from exchange.gateway.access import SCOPES
from exchange.protocol import messages as m
from exchange.protocol.documents import DOCUMENTS
from exchange.protocol.messages import RESULTS

PAGE: Final = Path(__file__).parents[2] / "docs" / "protocol-fields.md"

PARTS: Final = (
    m.BasketLeg, m.DryRunResult, m.BasketDryRunResult,
    m.OpenOrderResult, m.PositionResult, m.InstrumentResult, m.Indication, m.Bar, m.PublicTrade, m.BlockProposalResult, m.OneWayBidResult,
    m.OneWayAuctionResult, m.KeyRow, m.ProposalRow, m.AlertRow,
)  # fmt: skip


def _fields(cls: type) -> str:
    names = (f"`{field.encode_name}{'' if field.required else '?'}`" for field in msgspec.structs.fields(cls))
    return " ".join(names) or "-"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _methods() -> str:
    rows = []
    for method, cls in m.REQUESTS.items():
        params = next(field.type for field in msgspec.structs.fields(cls) if field.name == "params")
        rows.append((f"`{method}`", " or ".join(sorted(SCOPES[cls])) or "-", _fields(params), RESULTS[method].__name__))
    return _table(("method", "scope", "params", "result"), rows)


def tables() -> dict[str, str]:
    """Name of a table in the page -> its text."""
    results = (*dict.fromkeys(RESULTS.values()), *PARTS)
    return {
        "methods": _methods(),
        "results": _table(("result", "fields"), ((cls.__name__, _fields(cls)) for cls in results)),
        "notifications": _table(("notification", "params"), ((f"`{name}`", _fields(cls)) for name, cls in m.NOTIFICATIONS.items())),
        "documents": _table(("document", "fields"), ((f"`{name}`", _fields(cls)) for name, cls in DOCUMENTS.items())),
    }


def page_with_tables(text: str) -> str:
    """The page with every table between its markers written anew. Raises KeyError for a marker without a table."""
    made = tables()
    return re.sub(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", lambda part: part[1] + made[part[2]] + "\n" + part[3], text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")
