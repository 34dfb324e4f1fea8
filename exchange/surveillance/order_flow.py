"""Order-to-trade ratio (撤单率): many commands for few trades. docs/rules.md, "Surveillance", rule order_to_trade."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from exchange.journal.record import CommandKind
from exchange.surveillance.events import Finding, Owners, Trade
from exchange.surveillance.parameters import OrderToTrade, named

_FIRST, _LAST = int(CommandKind.PLACE), int(CommandKind.BASKET)
_MAKER = "market_maker"


class OrderToTradeRule:
    """State: commands and trades of every account in the running window. Windows lie end to end from the epoch of time on."""

    def __init__(self, parameters: OrderToTrade, owners: Owners) -> None:
        self._parameters, self._owners = parameters, owners
        self._commands: Counter[int] = Counter()
        self._trades: Counter[int] = Counter()
        self._ends_ns = 0

    def on_commands(self, records: NDArray[np.void]) -> None:
        """Count order commands, refused ones too: all of them cost the others."""
        orders = records["account"][(records["kind"] >= _FIRST) & (records["kind"] <= _LAST)]
        if len(orders):
            accounts, counts = np.unique(orders, return_counts=True)
            for account, count in zip(accounts.tolist(), counts.tolist(), strict=True):
                self._commands[account] += count

    def on_trade(self, trade: Trade) -> None:
        self._trades[trade.buyer] += 1
        self._trades[trade.seller] += 1

    def on_time(self, now_ns: int) -> Iterator[Finding]:
        """Close the window if it has ended. Called before what happens at `now_ns` is counted."""
        if now_ns < self._ends_ns:
            return
        rule = self._parameters
        for account, commands in sorted(self._commands.items()):
            ratio = rule.maker_ratio if self._owners.role.get(account) == _MAKER else rule.ratio
            trades = self._trades[account]
            if commands >= rule.min_commands and commands > ratio * max(1, trades):
                yield Finding("order_to_trade", self._ends_ns, 0, [account], [], {"commands": commands, "trades": trades}, named(rule))
        self._commands.clear()
        self._trades.clear()
        self._ends_ns = now_ns - now_ns % rule.window_ns + rule.window_ns
