"""Documents of settlement: its rules, green contracts, the network and its dispatch, tariffs, and the months' settlement."""

from typing import ClassVar, Final

import msgspec

from exchange.protocol.document import Document


class SetSettlementRules(Document, frozen=True, kw_only=True):
    """What imbalance costs, of days that begin at `effective_ns` or later. A day that was settled before keeps the rules of its time.

    `imbalance`: dual (deficits at the retail price x (1 + a), surpluses at the feed-in price x (1 - a), a = `alpha_ppm` up to 100,000), single
    (one price: retail while the park imports, else feed-in), pool (what meets in the park at the middle of the two).
    """

    SCHEMA: ClassVar[str] = "set_settlement_rules"
    effective_ns: int
    imbalance: str
    alpha_ppm: int = 0


class GreenContract(Document, frozen=True, kw_only=True):
    """A bilateral green contract of one month (绿电合同, 证电合一): energy and environment are priced apart and settled apart.

    Prices are ticks of 0.0001 CNY/kWh. In every quarter-hour the contract takes the least of what the generator feeds in, what the buyer's meter
    takes, and what is left of `energy_wh`, before ordinary energy. The environment part and the compensation for missing volume follow monthly.
    """

    SCHEMA: ClassVar[str] = "green_contract"
    reference: str
    buyer: int
    generator: int
    month: str
    energy_wh: int
    energy_price_ticks: int
    environment_price_ticks: int
    deviation_price_ticks: int = 0


class Feeder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A feeder or transformer: what may flow through it towards its accounts (`import_limit_w`) and away from them. `parent`: empty at the top."""

    name: str
    import_limit_w: int
    export_limit_w: int
    parent: str = ""


class Connection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The feeder that an account hangs on."""

    account: int
    feeder: str


class SetNetwork(Document, frozen=True, kw_only=True):
    """Feeders and who hangs on them, from now on. Curtailed energy that nobody offered is compensated at `compensation_micro_per_kwh`."""

    SCHEMA: ClassVar[str] = "set_network"
    feeders: list[Feeder]
    connections: list[Connection]
    compensation_micro_per_kwh: int


class OfferCurtailment(Document, frozen=True, kw_only=True):
    """An offer of the sender to inject less in a period (or withdraw less, whichever overloads), up to `energy_wh` at a price. 0 Wh withdraws it."""

    SCHEMA: ClassVar[str] = "offer_curtailment"
    symbol: str
    energy_wh: int
    price_micro_per_kwh: int


class SetTariff(Document, frozen=True, kw_only=True):
    """Network charges and mechanism price of an account, of months that begin at `effective_ns` or later.

    `kind`: none; capacity (发改价格〔2025〕1192号: capacity charge and energy price x load factor x 730 h, by connected kVA, no volumetric charge);
    two_part (capacity charge by kVA or demand charge by the month's peak, and an energy charge on what is withdrawn).
    `mechanism_micro_per_kwh`: the mechanism price (机制电价) of `mechanism_share_ppm` of what the account feeds in.
    """

    SCHEMA: ClassVar[str] = "set_tariff"
    account: int
    effective_ns: int
    kind: str
    connected_kva: int = 0
    capacity_micro_per_kva: int = 0
    demand_micro_per_kw: int = 0
    energy_micro_per_kwh: int = 0
    load_factor_ppm: int = 0
    mechanism_micro_per_kwh: int = 0
    mechanism_share_ppm: int = 0


class SettleMonth(Document, frozen=True, kw_only=True):
    """Settle what is due by the month: green contracts, network charges, mechanism price. All days of the month have been settled.

    `reference_micro_per_kwh` is the month's market price that the mechanism price is compared with. `run`: 1, and 2, 3, ... for corrections.
    """

    SCHEMA: ClassVar[str] = "settle_month"
    month: str
    reference_micro_per_kwh: int = 0
    run: int = 1


SETTLEMENT: Final[tuple[type[Document], ...]] = (
    SetSettlementRules, GreenContract, SetNetwork, OfferCurtailment, SetTariff, SettleMonth,
)  # fmt: skip
