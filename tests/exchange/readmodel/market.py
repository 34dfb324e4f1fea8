"""A small market day with everything that the read model shows, as the batches that the fold gave."""

import random
from dataclasses import dataclass

import numpy as np

from exchange.accounts.keys import fingerprint
from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path.path import BatchResult, Exchange
from exchange.protocol.documents import Deposit, Document, MeterReadings, SettleDay, encode_document
from exchange.protocol.value_chain.metering import CorrectReadings, DeviceReadings, FinalizeMonth, RegisterDevice, SubstituteReadings
from exchange.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, PERIOD_NS
from matching.records import Side, TimeInForce
from tests.exchange.order_path.national import allowance as allowance_spec
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, OPERATOR, Park, power_spec, units_spec
from tests.exchange.order_path.replay import joined

DAY = "2026-07-15"
START_NS = DAY_NS + 40 * PERIOD_NS


class Recorder(Park):
    """A park that keeps what each command gave."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[BatchResult] = []

    def send(self, records: np.ndarray, documents: bytes = b"") -> BatchResult:
        self.batches.append(super().send(records, documents))
        return self.batches[-1]


@dataclass
class Market:
    park: Recorder
    accounts: list[int]
    power: int
    allowance: int

    @property
    def exchange(self) -> Exchange:
        return self.park.exchange

    @property
    def batches(self) -> list[BatchResult]:
        return self.park.batches


CONDITIONS: list[dict[str, int]] = [
    {"flags": CommandFlag.POST_ONLY},
    {"flags": CommandFlag.POST_ONLY | CommandFlag.REPRICE},
    {"flags": CommandFlag.ICEBERG, "display_lots": 1},
    {"flags": CommandFlag.ALL_OR_NONE},
    {"flags": CommandFlag.STOP, "stop_ticks": 0},
]


def speak(park: Recorder, document: Document) -> None:
    """Send a document with the operator's key, so that it is in the audit log."""
    data = encode_document(document)
    number = fingerprint("operator", bytes(32))
    park.send(park.record(CommandKind.DOCUMENT, OPERATOR, document_length=len(data), order_id=number), data)


def open_market() -> Market:
    park = Recorder()
    permissions = ["power_buy", "power_sell", "cea_buy", "cea_sell"]
    accounts = [park.admit(f"E{i:02d}", "enterprise", permissions, -200_000, 200_000, 100_000) for i in range(3)]
    opening = power_spec(40, opening_auction_ns=NS_PER_SECOND, auction_price_rule="k")
    power, allowance, _ = park.list(opening, units_spec(resale="free"), allowance_spec("CEA24"))
    for account in accounts:
        park.issue(account, "CEA25", 1_000)
    speak(park, Deposit(account=accounts[0], amount_micro=0, reference="nothing"))
    park.tick(OPEN_NS)
    park.place(accounts[0], power, Side.BUY, 4_012, 5)
    park.place(accounts[1], power, Side.SELL, 4_008, 8)
    park.tick(OPEN_NS + NS_PER_SECOND)
    return Market(park, accounts, power, allowance)


def trade(market: Market, n_commands: int, seed: int) -> None:
    """Random orders, amends and cancels, some refused, some repeated."""
    rng = random.Random(seed)
    park = market.park
    for _ in range(n_commands):
        account = rng.choice(market.accounts)
        mine = park.exchange.open_orders(account)
        choice = rng.random()
        if choice < 0.6 or not mine:
            power = rng.random() < 0.6
            price = rng.randint(4_000, 4_020) if power else rng.randint(6_000, 6_010)
            fields = {"time_in_force": rng.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK))}
            if rng.random() < 0.3:
                fields = dict(rng.choice(CONDITIONS))
            if "stop_ticks" in fields:
                fields["stop_ticks"] = price + rng.randint(-3, 3)
            park.place(account, market.power if power else market.allowance, rng.randint(0, 1), price, rng.randint(1, 30), **fields)
        elif choice < 0.75:
            park.cancel(account, rng.choice(mine).order_id)
        elif choice < 0.97:
            order = rng.choice(mine)
            park.amend(account, order.order_id, order.revision + (rng.random() < 0.1), order.price_ticks + rng.randint(-3, 3), rng.randint(1, 30))
        else:
            park.now_ns += 1
            park.send(park.log[-1][0])  # a resend


def settle(market: Market) -> None:
    """Gate closure, delivery, meters, statements."""
    park, n = market.park, len(market.accounts)
    park.tick(START_NS + PERIOD_NS)
    readings = MeterReadings(
        revision=1, accounts=market.accounts, period_starts_ns=[START_NS] * n, consumption_wh=[300_000 + i for i in range(n)],
        generation_wh=[100 * i for i in range(n)], soc_wh=[-1] * n, grid_starts_ns=[START_NS], grid_import_wh=[900_003 - 300 + 1_000],
        grid_export_wh=[0], losses_wh=[1_000],
    )  # fmt: skip
    code, answer = park.document(readings)
    assert code == 0, answer
    code, answer = park.document(SettleDay(day=DAY, day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))
    assert code == 0, answer


def read_devices(market: Market) -> None:
    """A plant and a heat meter, read and read again, by month, which is closed; a correction after it."""
    park, account = market.park, market.accounts[0]
    month_ns = DAY_NS - 14 * NS_PER_DAY
    for kind in ("pv", "heat"):
        done(park, RegisterDevice(account=account, name=kind, kind=kind, capacity_w=4_000_000, commissioned_ns=0))
    park.tick(month_ns + 31 * NS_PER_DAY)

    def reading(revision: int, first_ns: int, values: list[int], **changes: object) -> DeviceReadings:
        return DeviceReadings(
            revision=revision, devices=[1, 2], first_starts_ns=[first_ns] * 2, counts=[len(values)] * 2, qualities=["measured"] * 2,
            import_wh=[1] * len(values) + values, export_wh=values + [0] * len(values), **changes,
        )  # fmt: skip

    first_ns = DAY_NS + 4 * PERIOD_NS
    grid = {"grid_starts_ns": [first_ns], "grid_import_wh": [7], "grid_export_wh": [0], "losses_wh": [1]}
    done(park, reading(1, first_ns, [100, 200, 300], **grid))
    done(park, reading(1, first_ns + 2 * PERIOD_NS, [300, 400, 500, 600]))
    done(park, SubstituteReadings(device=1, method="interpolate", first_start_ns=first_ns + PERIOD_NS, count=1, revision=2))
    done(park, FinalizeMonth(month="2026-07", month_start_ns=month_ns, month_end_ns=month_ns + 31 * NS_PER_DAY, accept_gaps=True))
    done(park, reading(3, first_ns, [150], version="correction"))
    none: list[int] = []
    correction = CorrectReadings(
        revision=2, reason="test", accounts=[market.accounts[1]], period_starts_ns=[START_NS], consumption_wh=[5], generation_wh=[6], soc_wh=[-1],
        grid_starts_ns=none, grid_import_wh=none, grid_export_wh=none, losses_wh=none,
    )  # fmt: skip
    done(park, correction)


def done(park: Park, document: Document) -> None:
    """Sent with the operator's key, so that it is in the audit log."""
    data, number = encode_document(document), fingerprint("operator", GENESIS.operator_keys[0])
    result = park.send(park.record(CommandKind.DOCUMENT, OPERATOR, document_length=len(data), order_id=number), data)
    assert int(result.outcomes[0]["code"]) == 0, result.results


def market_day(n_commands: int = 180, seed: int = 7) -> Market:
    market = open_market()
    trade(market, n_commands, seed)
    refused = encode_document(SettleDay(day=DAY, day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))
    market.park.send(market.park.record(CommandKind.DOCUMENT, OPERATOR, document_length=len(refused)), refused)
    settle(market)
    market.park.tick(DAY_NS + 15 * NS_PER_HOUR)  # the close of the allowances with a daily limit
    read_devices(market)
    return market


def cut_again(market: Market, seed: int) -> tuple[Exchange, list[BatchResult]]:
    """The same commands in other batches, by a fold of their own."""
    rng = random.Random(seed)
    exchange, batches = Exchange(GENESIS), []
    log = market.park.log
    position = 0
    while position < len(log):
        together = log[position : position + rng.randint(1, 40)]
        position += len(together)
        batches.append(exchange.apply(*joined(together), exchange.last_sequence + 1))
    return exchange, batches
