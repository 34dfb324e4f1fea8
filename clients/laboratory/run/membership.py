"""What the operator sends before a run and before each of its days: members with their meters, devices, storage and cash; contracts of the day."""

from collections.abc import Iterator
from typing import Final

from clients.laboratory.run.virtual_exchange import VirtualExchange
from clients.laboratory.scenario.model import CONTINUOUS, MarketRules, Participant, Scenario
from clients.laboratory.world.day import WorldDay
from clients.simulator.listing import POWER_PRICE_DECIMALS, POWER_QUANTITY_DECIMALS, fee_of_a_lot
from exchange.protocol.documents import Admit, Deposit, InstrumentSpec, ListInstruments, RegisterStorage
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.protocol.value_chain.settlement import SetSettlementRules
from exchange.units import NS_PER_MINUTE, PERIOD_NS, POWER_MULTIPLIER_MICRO, POWER_TICK_MICRO_PER_KWH

_COMMISSIONED_NS: Final = 1_704_038_400_000_000_000  # 2024-01-01 in Shanghai; a certificate states it
_W_PER_KW: Final = 1000


def has_meter(participant: Participant) -> bool:
    """Whether there is a metering point: a trader has none."""
    return bool(participant.load or participant.generation or participant.storage or participant.ev)


def is_storage_alone(participant: Participant) -> bool:
    """Whether storage stands alone behind its meter: then the exchange checks its orders against state of charge and rating. Behind a load or a
    plant the position is that of the whole meter, and storage is its owner's affair.
    """
    return participant.storage is not None and not (participant.load or participant.generation or participant.ev)


def open_accounts(link: VirtualExchange, scenario: Scenario) -> list[int]:
    """Admit all participants with cash, devices and storage, and say what imbalance costs. Returns accounts in the order of the scenario."""
    rules = scenario.imbalance
    link.submit(SetSettlementRules(effective_ns=link.now_ns, imbalance=rules.imbalance, alpha_ppm=rules.alpha_ppm))
    return [_open_account(link, participant, scenario) for participant in scenario.participants]


def _open_account(link: VirtualExchange, participant: Participant, scenario: Scenario) -> int:
    account = int(
        link.submit(
            Admit(
                name=participant.id, role=participant.role, permissions=list(participant.permissions),
                min_net_power_lots=participant.min_net_power_lots, max_net_power_lots=participant.max_net_power_lots,
            )
        )["account"]
    )  # fmt: skip
    if participant.cash_micro:
        link.submit(Deposit(account=account, amount_micro=participant.cash_micro, reference="opening"))
    for device in _devices(participant, account, scenario):
        link.submit(device)
    if is_storage_alone(participant):
        storage = participant.storage
        assert storage is not None
        link.submit(
            RegisterStorage(
                account=account, soc_wh=storage.soc_initial_wh, soc_min_wh=storage.soc_min_wh, soc_max_wh=storage.soc_max_wh, power_w=storage.power_w,
                charge_efficiency_ppm=storage.charge_efficiency_ppm, discharge_efficiency_ppm=storage.discharge_efficiency_ppm,
            )
        )  # fmt: skip
    return account


def _devices(participant: Participant, account: int, scenario: Scenario) -> Iterator[RegisterDevice]:
    if participant.generation is not None:
        kind = participant.generation.kind
        yield RegisterDevice(
            account=account, name=kind, kind=kind, capacity_w=participant.generation.peak_kw * _W_PER_KW, commissioned_ns=_COMMISSIONED_NS,
            scheme=scenario.carbon.scheme, location=scenario.name_en,
        )  # fmt: skip
    if participant.storage is not None:
        yield RegisterDevice(
            account=account, name="storage", kind="storage", capacity_w=participant.storage.power_w, commissioned_ns=_COMMISSIONED_NS
        )


def top_up(link: VirtualExchange, scenario: Scenario, accounts: list[int]) -> None:
    """Bring cash back to its opening amount where half of it is gone: a run asks what rules do, not who becomes insolvent."""
    for participant, account in zip(scenario.participants, accounts, strict=True):
        available_micro = link.exchange.balances(account).available_micro
        if 2 * available_micro < participant.cash_micro:
            link.submit(Deposit(account=account, amount_micro=participant.cash_micro - available_micro, reference="working-capital"))


def list_day(link: VirtualExchange, market: MarketRules, day: WorldDay) -> list[int]:
    """List the quarter-hours of a day. Returns their instrument ids in time order. A one-shot mechanism needs books that trade from the first round
    on, since its fills enter them as pairs of orders; only continuous books have an opening auction.
    """
    auction_minutes = market.opening_auction_minutes if market.mechanism == CONTINUOUS else 0
    maker_micro = fee_of_a_lot(market.maker_fee_micro_per_kwh, "maker fee")
    taker_micro = fee_of_a_lot(market.taker_fee_micro_per_kwh, "taker fee")
    park_micro = fee_of_a_lot(market.park_fee_micro_per_kwh, "park fee")
    environment_ticks = market.environment_micro_per_kwh // POWER_TICK_MICRO_PER_KWH
    specs = [
        InstrumentSpec(
            symbol=symbol, instrument_class="power", venue="park", calendar="continuous", price_decimals=POWER_PRICE_DECIMALS,
            quantity_decimals=POWER_QUANTITY_DECIMALS, multiplier_micro=POWER_MULTIPLIER_MICRO, unit="kWh", min_price_ticks=market.min_price_ticks,
            max_price_ticks=market.max_price_ticks, band_low_ticks=market.min_price_ticks, band_high_ticks=market.max_price_ticks,
            max_order_lots=market.max_order_lots, deficit_price_ticks=deficit_ticks, surplus_price_ticks=surplus_ticks,
            environment_price_ticks=environment_ticks, delivery_start_ns=start_ns, delivery_end_ns=start_ns + PERIOD_NS, open_ns=day.opens_ns,
            close_ns=gate_ns, opening_auction_ns=auction_minutes * NS_PER_MINUTE, auction_price_rule="k", k_ppm=market.k_ppm,
            maker_fee_lot_micro=maker_micro, taker_fee_lot_micro=taker_micro, park_fee_lot_micro=park_micro,
        )
        for symbol, start_ns, gate_ns, deficit_ticks, surplus_ticks in zip(
            day.symbols, day.start_ns.tolist(), day.gate_ns.tolist(), day.deficit_price_ticks.tolist(), day.surplus_price_ticks.tolist(), strict=True
        )
    ]  # fmt: skip
    listed = link.submit(ListInstruments(instruments=specs))["instruments"]
    return [listed[symbol] for symbol in day.symbols]
