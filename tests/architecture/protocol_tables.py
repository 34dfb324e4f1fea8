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

PAGE: Final = Path(__file__).parents[2] / "docs" / "protocol-fields.md"

RESULTS: Final[dict[str, type[m.Params]]] = {
    "logon": m.LogonResult,
    "order.place": m.OrderResult,
    "basket.place": m.BasketResult,
    "order.amend": m.OrderResult,
    "order.cancel": m.OrderResult,
    "order.mass_cancel": m.OrderResult,
    "orders.open": m.OrdersResult,
    "balances": m.BalancesResult,
    "positions": m.PositionsResult,
    "instruments": m.InstrumentsResult,
    "auctions": m.AuctionsResult,
    "statement": m.StatementResult,
    "nominate": m.SubmitResult,
    "operator.submit": m.SubmitResult,
    "block.propose": m.SubmitResult,
    "block.confirm": m.SubmitResult,
    "block.decline": m.SubmitResult,
    "block.withdraw": m.SubmitResult,
    "block.proposals": m.BlockProposalsResult,
    "one_way.bid": m.SubmitResult,
    "one_way.amend": m.SubmitResult,
    "one_way.withdraw": m.SubmitResult,
    "one_way.bids": m.OneWayBidsResult,
    "one_way.auctions": m.OneWayAuctionsResult,
    "operator.propose": m.SubmitResult,
    "operator.proposals": m.ProposalsResult,
    "keys.list": m.KeysResult,
    "audit.log": m.AuditResult,
    "surveillance.alerts": m.AlertsResult,
    "settlement.report": m.SettlementResult,
    "system.status": m.StatusResult,
    "subscribe": m.SubscribeResult,
    "unsubscribe": m.SubscribeResult,
    "turn.done": m.TurnResult,
    "clock.run": m.TurnResult,
    "clock.pause": m.TurnResult,
}
PARTS: Final = (
    m.BasketLeg, m.OpenOrderResult, m.PositionResult, m.InstrumentResult, m.Indication, m.PublicTrade, m.BlockProposalResult, m.OneWayBidResult,
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
