"""A market of three kinds of units, driven beside a model of single units: what is sold, given, pledged, frozen and ended, with which numbers."""

from typing import Any

from exchange.journal.record import CommandKind
from exchange.ledger.records import PostingReason
from exchange.order_path.business import units
from exchange.order_path.check import check_exchange
from exchange.order_path.records import TRADE_KINDS
from exchange.protocol.documents import Document
from exchange.protocol.value_chain.units import (
    ConvertUnits,
    DefineEligibility,
    FreezeUnits,
    LockUnits,
    PreferLots,
    TransferUnits,
    UnfreezeUnits,
    UnlockUnits,
    WithdrawUnits,
)
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import SerialRange
from exchange.units import NS_PER_HOUR
from matching.records import SelfTrade, Side
from tests.exchange.order_path.park import OPEN_NS, OPERATOR, Park, units_spec
from tests.exchange.registry.compare import require_same
from tests.exchange.registry.model import Model, Serial

PERMISSIONS = [f"{kind}_{side}" for kind in ("gec", "cea", "pcc") for side in ("buy", "sell")]
PRICE = 6_000
SYMBOLS = ("GEC-202605-PV", "CEA25", "PCC-2026", "GREEN-BASKET")
GEC, CEA, PCC, BASKET = range(4)


class UnitsMarket(Park):
    """Certificates (one transfer), allowances (not on the day), park credits (free) and a basket that takes certificates of May and June 2026."""

    def __init__(self) -> None:
        super().__init__()
        self.members = [self.admit(name, "enterprise", PERMISSIONS, cash_cny=1_000_000) for name in ("E01", "E02", "E03")]
        self.bank = self.admit("BANK", "bank", [], cash_cny=0)
        self.assets = self.list(
            units_spec(SYMBOLS[GEC], instrument_class="gec", resale="none", unit="MWh"), units_spec(SYMBOLS[CEA]),
            units_spec(SYMBOLS[PCC], instrument_class="pcc", venue="internal", resale="free"),
            units_spec(SYMBOLS[BASKET], instrument_class="gec", resale="none", unit="MWh"),
        )  # fmt: skip
        self.must(DefineEligibility(symbol=SYMBOLS[BASKET], instrument_classes=["gec"], vintage_from=202605, vintage_to=202606))
        self.tick(OPEN_NS)
        self.model = Model(dict(zip(self.assets, ("none", "next_day", "free", "none"), strict=True)))
        self.encumbrances: dict[int, tuple[str, list[Serial]]] = {}
        self.is_replayable = True

    def must(self, document: Document, account: int = OPERATOR) -> dict[str, Any]:
        code, answer = self.document(document, account)
        assert code == 0, (document, answer)
        return answer

    def expect(self, accepted: bool, document: Document, account: int) -> dict[str, Any]:
        """The document is taken or refused as the model has it."""
        code, answer = self.document(document, account)
        assert (code == 0) == accepted, (document, account, answer)
        return answer

    def check(self) -> None:
        """Every invariant, and every unit where the model has it."""
        check_exchange(self.exchange)
        require_same(self.exchange.rooms.registry, self.model, self.members)
        for asset in self.assets:
            net_lots = self.exchange.state.positions[self.slot(asset)]["net_lots"]
            assert [int(net_lots[member]) for member in self.members] == [len(self.model.held(asset, member)) for member in self.members]

    def slot(self, asset: int) -> int:
        return self.exchange.instrument_by_id(asset).slot

    def on_sale(self, asset: int, account: int) -> int:
        return int(self.exchange.state.positions[self.slot(asset), account].open_sell_lots)

    def texts(self, serials: list[Serial]) -> list[str]:
        """Each unit as a range of its own, with what the registry knows of its bundle."""
        registry, found = self.exchange.rooms.registry, []
        for issuance, number in serials:
            row = registry.find(issuance, number)
            assert row is not None
            found.append(str(SerialRange(*registry.range_of(row)[:4], number, number)))
        return found

    # What members do. `what` is an index of SYMBOLS, `who` and `other` of members.

    def put(self, what: int, who: int, lots: int) -> None:
        if what != BASKET:
            self.issue(self.members[who], SYMBOLS[what], lots)
            self.model.issue(self.assets[what], self.members[who], lots)

    def trade(self, what: int, who: int, side: int, lots: int) -> None:
        """An order; what it fills, the model hands over."""
        asset, account = self.assets[what], self.members[who]
        free = len(self.model.sellable(asset, account)) - self.on_sale(asset, account)
        order = {"instrument": asset, "side": side, "price_ticks": PRICE, "quantity_lots": lots, "self_trade": int(SelfTrade.CANCEL_OLDEST)}
        result = self.send(self.record(CommandKind.PLACE, account, **order))
        assert (result.outcomes[0]["code"] == 0) == (side == Side.BUY or lots <= free)
        for trade in result.executions:
            if int(trade["kind"]) in TRADE_KINDS:
                pair = [int(trade["account"]), int(trade["counter_account"])]
                buyer, seller = pair if int(trade["side"]) == Side.BUY else pair[::-1]
                moved = self.model.hand_over(asset, seller, buyer, int(trade["quantity_lots"]))
                assert len(moved) == trade["quantity_lots"]

    def call_off(self, who: int, number: int) -> None:
        mine = self.exchange.open_orders(self.members[who])
        if mine:
            self.cancel(self.members[who], mine[number % len(mine)].order_id)

    def give(self, what: int, who: int, other: int, lots: int, named: bool) -> None:
        asset, debit, credit = self.assets[what], self.members[who], self.members[other]
        sellable = self.model.sellable(asset, debit)
        accepted = who != other and lots <= len(sellable) - self.on_sale(asset, debit)
        chosen = sellable[-lots:] if named else sellable[:lots]
        ranges = self.texts(chosen) if named else []
        accepted &= not named or bool(ranges)
        quantity = len(chosen) if named and chosen else lots
        accepted |= named and who != other and 0 < quantity <= len(sellable) - self.on_sale(asset, debit)
        document = TransferUnits(symbol=SYMBOLS[what], to_account=credit, reference="gift", quantity_lots=quantity, ranges=ranges)
        self.expect(accepted, document, debit)
        if accepted:
            if named:
                self.model.prefer(asset, debit, chosen)
            self.model.hand_over(asset, debit, credit, quantity)

    def set_aside(self, what: int, who: int, lots: int, kind: str) -> None:
        asset, account = self.assets[what], self.members[who]
        accepted = lots <= len(self.model.held(asset, account)) - self.on_sale(asset, account)
        if kind == "lock":
            document: Document = LockUnits(symbol=SYMBOLS[what], beneficiary=self.bank, reference="pledge", quantity_lots=lots)
            answer = self.expect(accepted, document, account)
        else:
            document = FreezeUnits(symbol=SYMBOLS[what], account=account, reference="order", quantity_lots=lots)
            answer = self.expect(accepted, document, OPERATOR)
        if accepted:
            taken = self.model.first(asset, account, lots)
            self.model.change(taken, "LOCKED" if kind == "lock" else "FROZEN")
            self.encumbrances[answer[kind]] = (kind, taken)

    def let_go(self, number: int, lots: int, named: bool) -> None:
        """The bank releases a pledge, the operator ends a freeze: the first units, or the last ones by name."""
        if not self.encumbrances:
            return
        found = sorted(self.encumbrances)[number % len(self.encumbrances)]
        kind, serials = self.encumbrances[found]
        lots = min(lots, len(serials))
        chosen = serials[-lots:] if named else serials[:lots]
        ranges = self.texts(chosen) if named else []
        if kind == "lock":
            self.must(UnlockUnits(lock=found, quantity_lots=lots, ranges=ranges), self.bank)
        else:
            self.must(UnfreezeUnits(freeze=found, reference="lifted", quantity_lots=lots, ranges=ranges))
        self.model.change(chosen, "ISSUED")
        self._keep(found, kind, [serial for serial in serials if serial not in chosen])

    def _keep(self, number: int, kind: str, serials: list[Serial]) -> None:
        if serials:
            self.encumbrances[number] = (kind, serials)
        else:
            del self.encumbrances[number]

    def withdraw(self, what: int, who: int, lots: int) -> None:
        asset, account = self.assets[what], self.members[who]
        accepted = lots <= len(self.model.held(asset, account)) - self.on_sale(asset, account)
        document = WithdrawUnits(account=account, symbol=SYMBOLS[what], reference="error", quantity_lots=lots)
        self.expect(accepted, document, OPERATOR)
        if accepted:
            self.model.change(self.model.first(asset, account, lots), "WITHDRAWN")

    def withdraw_frozen(self, number: int) -> None:
        frozen = [(found, serials) for found, (kind, serials) in sorted(self.encumbrances.items()) if kind == "freeze"]
        if frozen:
            found, serials = frozen[number % len(frozen)]
            unit = self.model.units[serials[0]]
            symbol = self.exchange.instrument_by_id(unit.asset).symbol
            self.must(WithdrawUnits(account=unit.owner, symbol=symbol, reference="switched", freeze=found))
            self.model.change(serials, "WITHDRAWN")
            self._keep(found, "freeze", [])

    def end(self, what: int, who: int, lots: int, reason: PostingReason) -> None:
        """Retirement, surrender and expiry, as their documents and deadlines ask for them: no command here, so the walk is not replayed."""
        asset, account = self.assets[what], self.members[who]
        if lots <= len(self.model.held(asset, account)) - self.on_sale(asset, account):
            self.is_replayable = False
            units.take(self.exchange, self.exchange.instrument_by_id(asset), account, lots, reason)
            self.model.change(self.model.first(asset, account, lots), UnitState[reason.name.removeprefix("UNITS_")].name)

    def prefer(self, what: int, who: int, lots: int) -> None:
        asset, account = self.assets[what], self.members[who]
        chosen = self.model.sellable(asset, account)[-lots:]
        if chosen:
            self.must(PreferLots(symbol=SYMBOLS[what], ranges=self.texts(chosen)), account)
            self.model.prefer(asset, account, chosen)

    def convert(self, who: int, lots: int, back: bool) -> None:
        """Certificates into the basket, or out of it."""
        source, target = (BASKET, GEC) if back else (GEC, BASKET)
        asset, account = self.assets[source], self.members[who]
        accepted = lots <= len(self.model.held(asset, account)) - self.on_sale(asset, account)
        self.expect(accepted, ConvertUnits(symbol=SYMBOLS[source], to_symbol=SYMBOLS[target], quantity_lots=lots), account)
        if accepted:
            for serial in self.model.first(asset, account, lots):
                self.model.arrive(serial, account, self.assets[target])

    def wait(self, hours: int) -> None:
        """16:00 local time is 08:00 UTC; a local midnight makes what was bought the day before sellable."""
        before = (self.now_ns + 8 * NS_PER_HOUR) // (24 * NS_PER_HOUR)
        self.tick(self.now_ns + hours * NS_PER_HOUR)
        if self.model.units:
            self.model.day += (self.now_ns + 8 * NS_PER_HOUR) // (24 * NS_PER_HOUR) - before
