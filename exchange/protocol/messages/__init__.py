"""Messages of the wire: JSON-RPC 2.0 text frames. One struct a method; docs/protocol.md is checked against this package.

Prices and quantities are decimal strings of the instrument's quoted unit, times int nanoseconds since the epoch (UTC), ids int64.
Unknown fields are refused everywhere. A repeated member of a JSON object is legal and the last one counts, except that a repeated
`method` must repeat the same value.

Every message has its name here, whichever file of the package holds it.
"""

from typing import Final, get_args

from exchange.protocol.messages.administration import *
from exchange.protocol.messages.national import *
from exchange.protocol.messages.notifications import *
from exchange.protocol.messages.requests import *
from exchange.protocol.messages.results import *
from exchange.protocol.messages.wire import *

AnyRequest = (
    Logon | Place | PlaceBasket | Amend | Cancel | MassCancel
    | CancelAfter | OrdersOpen | QueuePosition | Executions | Depth | Bars | Balances | Positions | Auctions | Instruments
    | Statement | Nominate | OperatorSubmit | DocumentSubmit | SettlementReport | SystemStatus | Subscribe | Unsubscribe | TurnDone
    | ClockRun | ClockPause
    | BlockPropose | BlockConfirm | BlockDecline | BlockWithdraw | BlockProposals
    | OneWayBid | OneWayAmend | OneWayWithdraw | OneWayBids | OneWayAuctions
    | OperatorPropose | OperatorProposals | KeysList | AuditLog | Alerts
)  # fmt: skip

REQUESTS: Final[dict[str, type[Request]]] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyRequest)}

NOTIFICATIONS: Final[dict[str, type[Params]]] = {
    "challenge": Challenge,
    "book.snapshot": BookSnapshot,
    "book.delta": BookDelta,
    "orders.snapshot": OrdersSnapshot,
    "orders.delta": OrdersDelta,
    "bars.snapshot": BarsSnapshot,
    "bars.delta": BarsDelta,
    "trade": Trades,
    "ticker": Ticker,
    "execution": Execution,
    "balances": BalancesChange,
    "correction": LedgerCorrected,
    "positions": PositionsChange,
    "statement": StatementReady,
    "phases.snapshot": PhasesSnapshot,
    "phase": PhaseChange,
    "indication": Indications,
    "auction": AuctionHeld,
    "close": DailyClose,
    "block": BlockProposalResult,
    "one_way": OneWayAuctionResult,
    "proposal": ProposalRow,
    "alert": AlertRow,
    "turn": Turn,
    "heartbeat": Heartbeat,
}

# What an accepted request is answered with.
RESULTS: Final[dict[str, type[Params]]] = {
    "logon": LogonResult,
    "order.place": OrderResult,
    "basket.place": BasketResult,
    "order.amend": OrderResult,
    "order.cancel": OrderResult,
    "order.mass_cancel": OrderResult,
    "session.cancel_after": CancelAfterResult,
    "orders.open": OrdersResult,
    "order.queue_position": QueuePositionResult,
    "executions": ExecutionsResult,
    "depth": DepthResult,
    "bars": BarsResult,
    "balances": BalancesResult,
    "positions": PositionsResult,
    "instruments": InstrumentsResult,
    "auctions": AuctionsResult,
    "statement": StatementResult,
    "nominate": SubmitResult,
    "operator.submit": SubmitResult,
    "document.submit": SubmitResult,
    "block.propose": SubmitResult,
    "block.confirm": SubmitResult,
    "block.decline": SubmitResult,
    "block.withdraw": SubmitResult,
    "block.proposals": BlockProposalsResult,
    "one_way.bid": SubmitResult,
    "one_way.amend": SubmitResult,
    "one_way.withdraw": SubmitResult,
    "one_way.bids": OneWayBidsResult,
    "one_way.auctions": OneWayAuctionsResult,
    "operator.propose": SubmitResult,
    "operator.proposals": ProposalsResult,
    "keys.list": KeysResult,
    "audit.log": AuditResult,
    "surveillance.alerts": AlertsResult,
    "settlement.report": SettlementResult,
    "system.status": StatusResult,
    "subscribe": SubscribeResult,
    "unsubscribe": SubscribeResult,
    "turn.done": TurnResult,
    "clock.run": TurnResult,
    "clock.pause": TurnResult,
}
# And with `dry_run`.
DRY_RUN_RESULTS: Final[dict[str, type[Params]]] = {
    "order.place": DryRunResult,
    "order.amend": DryRunResult,
    "basket.place": BasketDryRunResult,
}
