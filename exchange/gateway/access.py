"""Who may call what: one row a method."""

from typing import Final

from exchange.protocol import messages as m

# A key needs one of the scopes. An empty set: no logon needed, as far as the method itself goes.
ANYONE: Final[frozenset[str]] = frozenset()
_READ: Final = frozenset({"read"})
_TRADE: Final = frozenset({"trade"})
_OPERATE: Final = frozenset({"operate"})
OVERSEERS: Final = frozenset({"operate", "audit"})

SCOPES: Final[dict[type[m.Request], frozenset[str]]] = {
    m.Logon: ANYONE,
    m.Place: _TRADE,
    m.PlaceBasket: _TRADE,
    m.Amend: _TRADE,
    m.Cancel: _TRADE,
    m.MassCancel: _TRADE,
    m.CancelAfter: _TRADE,
    m.Nominate: _TRADE,
    m.OrdersOpen: _READ,
    m.QueuePosition: _READ,
    m.Executions: _READ,
    m.Depth: ANYONE,
    m.Bars: ANYONE,
    m.Balances: _READ,
    m.Positions: _READ,
    m.Statement: _READ,
    m.Instruments: ANYONE,
    m.Auctions: ANYONE,
    m.SystemStatus: ANYONE,
    m.Subscribe: ANYONE,
    m.Unsubscribe: ANYONE,
    m.TurnDone: _READ,
    m.OperatorSubmit: _OPERATE,
    m.DocumentSubmit: frozenset({"trade", "verify", "operate", "audit"}),
    m.BlockPropose: _TRADE,
    m.BlockConfirm: _TRADE,
    m.BlockDecline: _TRADE,
    m.BlockWithdraw: _TRADE,
    m.BlockProposals: _READ,
    m.OneWayBid: _TRADE,
    m.OneWayAmend: _TRADE,
    m.OneWayWithdraw: _TRADE,
    m.OneWayBids: _READ,
    m.OneWayAuctions: ANYONE,
    m.SettlementReport: OVERSEERS,
    m.OperatorPropose: _OPERATE,
    m.OperatorProposals: OVERSEERS,
    m.KeysList: OVERSEERS | _READ,
    m.AuditLog: frozenset({"audit"}),
    m.Alerts: OVERSEERS,
    m.ClockRun: _OPERATE,
    m.ClockPause: _OPERATE,
}
# Where market data is not for everyone, these need any logon.
PUBLIC_DATA: Final = frozenset({m.Instruments, m.Auctions, m.Depth, m.Bars, m.OneWayAuctions, m.SystemStatus, m.Subscribe, m.Unsubscribe})
