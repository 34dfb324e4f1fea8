"""A random national market against an independent model: hypothesis sends documents and orders in any order, the model says what they come to.

After every step the invariants of docs/rules.md hold: CCER at most 5 % of an obligation, surrendered at most what is owed, a fine only for a
shortfall, credits at most what was verified, units issued = held + set aside + ended, money zero in sum.
"""

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exchange.ledger.chart import House
from exchange.market.calendar import next_transition
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.value_chain.allowances import (
    AllocateAllowances,
    CarryOverAllowances,
    CollectDues,
    ImposePenalty,
    ReportEmissions,
    SettleAllowanceDebt,
    SurrenderAllowances,
    VerifyEmissions,
)
from exchange.protocol.value_chain.projects import IssueCredits, ReverseCredits
from exchange.units import NS_PER_DAY, NS_PER_HOUR
from tests.exchange.order_path.carbon_market import REPORT, CarbonMarket, T
from tests.exchange.order_path.national import BUY, SELL, at
from tests.exchange.order_path.park import GENESIS

KWH = 1_000
# How many: as many as the rules allow now, one more, or a few.
AMOUNTS = st.sampled_from(["most", "more", "few"])


def lots_of(amount: str, most: int) -> int:
    return {"most": max(1, most), "more": max(0, most) + 1, "few": max(1, most // 3)}[amount]


class Model:
    """One entity, one year, one project, in t and fractions of t: written from the rules, with nothing of the exchange."""

    def __init__(self) -> None:
        self.held: Counter[str] = Counter()
        self.reported = self.verified = self.entitled = None  # type: int | None
        self.stage = ""
        self.surrendered: Counter[str] = Counter()
        self.debt = self.cut = 0
        self.sold = self.bought = self.carried = 0
        self.short: int | None = None
        self.fine: int | None = None
        self.paid = 0
        self.cash = 0
        self.verified_t, self.credited, self.buffered, self.owed_credits = Fraction(0), 0, 0, 0
        self.own_exact, self.buffer_exact, self.reversed, self.buffer = Fraction(0), Fraction(0), 0, 0

    @property
    def open(self) -> int:
        return (self.verified or 0) - self.surrendered.total()

    def most(self, symbol: str) -> int:
        """Units of an instrument that a surrender could take."""
        most = min(self.held[symbol], self.open)
        return min(most, floor(Fraction(self.verified or 0, 20)) - self.surrendered["CCER"]) if symbol == "CCER" else most

    @property
    def carry_limit(self) -> int:
        return floor(Fraction(3 * max(0, self.sold - self.bought), 2))

    def may_surrender(self, symbol: str, lots: int, is_over: bool) -> bool:
        if self.verified is None or is_over or self.debt or lots > self.held[symbol] or lots > self.open:
            return False
        return symbol != "CCER" or self.surrendered["CCER"] + lots <= floor(Fraction(self.verified, 20))

    def entitle(self, now: int) -> None:
        """A true-up, or the first allocation."""
        change = now - (self.entitled or 0)
        self.entitled = now
        if change >= 0:
            cut = min(change, self.cut)
            debt = min(change - cut, self.debt)
            self.cut, self.debt, self.held["CEA25"] = self.cut - cut, self.debt - debt, self.held["CEA25"] + change - cut - debt
        else:
            taken = min(-change, self.held["CEA25"])
            self.held["CEA25"] -= taken
            self.debt += -change - taken

    def collect(self) -> None:
        for symbol in ("CEA24", "CEA25", "CEA26"):
            taken = min(self.debt, self.held[symbol])
            self.held[symbol] -= taken
            self.debt -= taken


class CarbonWalk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.market = CarbonMarket()
        self.model = Model()
        self.seen: Counter[tuple[str, bool]] = Counter()
        self.model.cash = self.market.exchange.balances(self.market.entity).balance_micro
        self.project = self.market.registered(self.market.retrofit(variables=[], baseline_wh=10**6 * KWH), self.market.esco, buffer_ppm=100_000)
        self.next_period_ns = at("00:00", "2025-01-01")
        self.is_over = False
        self.market.go("09:30", "2026-03-03")
        self.market.place(self.market.trader, self.market.cea, SELL, 6_200, 5_000)
        self.started = len(self.market.log)

    @initialize(cea24=st.integers(0, 30), ccer=st.integers(0, 30), base=st.integers(0, 200), emissions=st.integers(0, 200))
    def begin(self, cea24: int, ccer: int, base: int, emissions: int) -> None:
        for symbol, lots in (("CEA24", cea24), ("CCER", ccer)):
            if lots:
                self.market.issue(self.market.entity, symbol, lots)
                self.model.held[symbol] = lots
        if base:
            self.pre_allocate(base)
        if emissions:
            self.report(emissions)

    def send(self, document: Any, account: int, expected: bool) -> dict[str, Any]:
        self.seen[type(document).__name__, expected] += 1
        code, answer = self.market.document(document, account)
        assert (code == 0) is expected, (document, answer)
        return answer

    def to_next_morning(self) -> None:
        """Units bought today are delivered before the next trading day."""
        today = (self.market.now_ns + 8 * NS_PER_HOUR) // NS_PER_DAY
        now_ns, opens = self.market.now_ns, False
        while not opens or (now_ns + 8 * NS_PER_HOUR) // NS_PER_DAY == today:
            found = next_transition("cea", now_ns)
            assert found is not None
            now_ns, opens = found
        self.market.tick(now_ns)

    @precondition(lambda self: self.model.verified is None)
    @rule(emissions=st.integers(0, 200))
    def report(self, emissions: int) -> None:
        document = ReportEmissions(year=2025, emissions_g=emissions * T, report_sha256=REPORT)
        self.send(document, self.market.entity, self.model.verified is None)
        if self.model.verified is None:
            self.model.reported = emissions

    @precondition(lambda self: self.model.reported is not None and (self.model.verified is None or len(self.market.log) % 8 == 0))
    @rule(emissions=st.integers(0, 200))
    def verify(self, emissions: int) -> None:
        expected = self.model.reported is not None and self.model.verified is None
        self.send(self.market.verification(emissions), self.market.verifier, expected)
        if expected:
            self.model.verified = emissions
            if self.is_over:
                self.close()

    @precondition(lambda self: not self.model.stage or len(self.market.log) % 8 == 0)
    @rule(base=st.integers(1, 200))
    def pre_allocate(self, base: int) -> None:
        document = AllocateAllowances(account=self.market.entity, year=2025, symbol="CEA25", stage="pre", base_emissions_g=base * T)
        expected = not self.model.stage and not self.is_over
        self.send(document, 32, expected)
        if expected:
            self.model.stage = "pre"
            self.model.entitle(floor(Fraction(7 * base, 10)))

    @rule(output=st.integers(0, 200))
    def true_up(self, output: int) -> None:
        expected = self.model.verified is not None and self.model.stage != "final" and not self.is_over
        self.send(self.market.final(output), 32, expected)
        if expected:
            self.model.stage = "final"
            self.model.entitle(output)

    @rule(symbol=st.sampled_from(["CEA24", "CEA25", "CCER"]), amount=AMOUNTS)
    def surrender(self, symbol: str, amount: str) -> None:
        lots = lots_of(amount, self.model.most(symbol))
        expected = self.model.may_surrender(symbol, lots, self.is_over)
        line = (symbol, lots, "CCER-1") if symbol == "CCER" else (symbol, lots)
        self.send(self.market.surrender(line), self.market.entity, expected)
        if expected:
            self.model.held[symbol] -= lots
            self.model.surrendered[symbol] += lots

    @precondition(lambda self: self.model.held["CEA26"])
    @rule()
    def surrender_a_later_vintage(self) -> None:
        self.send(self.market.surrender(("CEA26", 1)), self.market.entity, False)

    @precondition(lambda self: not self.is_over)
    @rule(amount=AMOUNTS)
    def sell(self, amount: str) -> None:
        """To a bid of the trader that takes it all."""
        lots = lots_of(amount, self.model.held["CEA25"])
        bid = self.market.place(self.market.trader, self.market.cea, BUY, 6_199, lots)
        outcome = self.market.place(self.market.entity, self.market.cea, SELL, 6_199, lots)
        assert (int(outcome["code"]) == 0) is (lots <= self.model.held["CEA25"])
        if outcome["code"] == 0:
            self.model.held["CEA25"] -= lots
            self.model.sold += lots
        else:
            self.market.cancel(self.market.trader, int(bid["order_id"]))
        self.model.cash = self.market.exchange.balances(self.market.entity).balance_micro

    @precondition(lambda self: not self.is_over)
    @rule(lots=st.integers(1, 60))
    def buy(self, lots: int) -> None:
        """Then wait for the day on which the units can be used."""
        if self.market.exchange.best("CEA25")[1] != 6_200:
            return
        self.market.place(self.market.entity, self.market.cea, BUY, 6_200, lots)
        assert self.market.refused(self.market.surrender(("CEA25", self.model.held["CEA25"] + 1)), self.market.entity)
        self.model.held["CEA25"] += lots
        self.model.bought += lots
        self.model.cash = self.market.exchange.balances(self.market.entity).balance_micro
        self.to_next_morning()

    @precondition(lambda self: self.model.verified is not None)
    @rule(amount=AMOUNTS)
    def carry_over(self, amount: str) -> None:
        model = self.model
        limit = model.carry_limit
        lots = lots_of(amount, min(model.held["CEA25"], limit - model.carried))
        expected = (
            model.verified is not None and model.open == 0 and not model.debt and lots <= model.held["CEA25"] and model.carried + lots <= limit
        )
        self.send(CarryOverAllowances(symbol="CEA25", to_symbol="CEA26", quantity_lots=lots), self.market.entity, expected)
        if expected:
            model.held["CEA25"] -= lots
            model.held["CEA26"] += lots
            model.carried += lots

    @precondition(lambda self: self.model.debt)
    @rule(symbol=st.sampled_from(["CEA24", "CEA25", "CEA26"]), amount=AMOUNTS)
    def give_back(self, symbol: str, amount: str) -> None:
        lots = lots_of(amount, min(self.model.debt, self.model.held[symbol]))
        expected = lots <= self.model.debt and lots <= self.model.held[symbol]
        self.send(SettleAllowanceDebt(symbol=symbol, quantity_lots=lots), self.market.entity, expected)
        if expected:
            self.model.debt -= lots
            self.model.held[symbol] -= lots

    @precondition(lambda self: self.model.debt or self.model.fine)
    @rule()
    def collect(self) -> None:
        self.send(CollectDues(account=self.market.entity), 32, True)
        self.model.collect()
        self.pay()

    @precondition(lambda self: not self.is_over)
    @rule(chance=st.integers(0, 3))
    def year_ends(self, chance: int) -> None:
        """One time in four, so that something has happened before."""
        if not chance:
            self.market.go("00:00", "2027-01-01")
            self.is_over = True
            if self.model.verified is not None:
                self.close()

    def close(self) -> None:
        self.model.collect()
        self.model.short = self.model.open
        self.model.cut += self.model.open

    @precondition(lambda self: self.is_over)
    @rule(multiple=st.integers(4, 11))
    def fine(self, multiple: int) -> None:
        model = self.model
        expected = bool(model.short) and model.fine is None and 5 <= multiple <= 10
        document = ImposePenalty(account=self.market.entity, year=2025, multiple_ppm=multiple * 1_000_000, reference="decree")
        self.send(document, 32, expected)
        if expected:
            assert model.short is not None
            model.fine = model.short * multiple * self.market.exchange.instrument_by_id(self.market.cea).reference.previous_close_ticks * 10_000  # type: ignore[union-attr]
            self.pay()

    def pay(self) -> None:
        paid = min(self.model.cash, (self.model.fine or 0) - self.model.paid)
        self.model.paid += paid
        self.model.cash -= paid

    # The project

    @rule(
        metered=st.integers(0, 1_200_000), uncertainty=st.sampled_from([0, 50_000, 333_333]), emissions=st.integers(0, 10**8),
        more=st.integers(-1, 1),
    )  # fmt: skip
    def credit(self, metered: int, uncertainty: int, emissions: int, more: int) -> None:
        """A day of the crediting period, monitored, verified and issued, by `more` too many or too few first."""
        market, model = self.market, self.model
        period = {"period_start_ns": self.next_period_ns, "period_end_ns": self.next_period_ns + NS_PER_DAY}
        self.next_period_ns += NS_PER_DAY
        document = market.monitoring(self.project, metered_wh=metered * KWH, variables_milli=[], project_emissions_g=emissions, **period)
        answer = market.ok(document, market.esco)
        market.ok(market.verification_of(self.project, answer, uncertainty_ppm=uncertainty), market.verifier)
        saved_g = max(0, 10**6 - metered) * Fraction(5306, 10)
        reduction_t = max(Fraction(0), (saved_g - emissions) / 10**6)
        certain_t = reduction_t * (1 - Fraction(uncertainty, 10**6))
        model.verified_t += reduction_t
        model.own_exact += certain_t * Fraction(9, 10)
        model.buffer_exact += certain_t * Fraction(1, 10)
        lots, buffer = floor(model.own_exact) - model.credited, floor(model.buffer_exact) - model.buffered
        if more:
            self.send(IssueCredits(project=self.project, quantity_lots=lots + more), market.registrar, False)
        self.send(IssueCredits(project=self.project, quantity_lots=lots), market.registrar, True)
        self.send(IssueCredits(project=self.project, quantity_lots=lots), market.registrar, False)
        withheld = min(model.owed_credits, lots)
        model.owed_credits -= withheld
        model.credited, model.buffered = model.credited + lots, model.buffered + buffer
        model.buffer += buffer
        model.held["PCC-2026"] += lots - withheld

    @precondition(lambda self: self.model.credited)
    @rule(amount=AMOUNTS)
    def reverse(self, amount: str) -> None:
        """Credits of the newest monitoring, by the rules: buffer, owner, debt."""
        last = self.market.exchange.rooms.credits.projects.by_id[self.project].last
        issued = 0 if last is None else last.credits_t + last.buffer_t - last.reversed_t
        lots = lots_of(amount, issued)
        document = ReverseCredits(project=self.project, monitoring=0 if last is None else last.number, quantity_lots=lots, reason="meter")
        self.send(document, self.market.registrar, lots <= issued)
        if lots <= issued:
            model = self.model
            from_buffer = min(lots, model.buffer)
            from_owner = min(lots - from_buffer, model.held["PCC-2026"])
            model.buffer -= from_buffer
            model.held["PCC-2026"] -= from_owner
            model.owed_credits += lots - from_buffer - from_owner
            model.reversed += lots

    # What holds after every step

    @invariant()
    def the_tables_are_whole(self) -> None:
        self.market.exchange.rooms.credits.check()

    @invariant()
    def the_exchange_is_the_model(self) -> None:
        market, model, exchange = self.market, self.model, self.market.exchange
        for symbol, instrument in (("CEA24", market.cea24), ("CEA25", market.cea), ("CEA26", market.cea26), ("CCER", market.ccer)):
            assert market.lots(market.entity, instrument) == model.held[symbol], symbol
            assert market.lots(House.SURRENDERED, instrument) == model.surrendered[symbol], symbol
        assert market.lots(market.host, market.pcc) == model.held["PCC-2026"]
        assert market.lots(House.FROZEN, market.pcc) == model.buffer == exchange.credit_buffer_t("PCC-2026")
        assert exchange.balances(market.entity).balance_micro == model.cash
        assert exchange.balances(House.GOVERNMENT).balance_micro == model.paid
        entity = exchange.rooms.credits.compliance.entities[market.entity]
        assert (entity.debt_t, entity.cut_t) == (model.debt, model.cut)
        row = exchange.rooms.credits.compliance.years.get((market.entity, 2025))
        assert (row.shortfall_t if row else 0) == (model.short or 0)
        assert (max(0, row.penalty_micro) if row else 0) == (model.fine or 0)

    @invariant()
    def invariants_12_and_13(self) -> None:
        model = self.model
        assert model.surrendered["CCER"] * 20 <= (model.verified or 0)
        assert model.surrendered.total() <= (model.verified or 0)
        assert model.fine is None or model.short
        issued = self.market.lots(self.market.host, self.market.pcc) + self.market.lots(House.FROZEN, self.market.pcc)
        assert issued + model.reversed - model.owed_credits <= model.verified_t

    def teardown(self) -> None:
        exchange = self.market.exchange
        check_exchange(exchange)
        restored, replayed = Exchange(GENESIS), Exchange(GENESIS)
        canonical.restore(restored, canonical.snapshot(exchange))
        for records, documents in self.market.log:
            replayed.apply(records, documents, replayed.last_sequence + 1)
        assert canonical.state_hash(restored) == canonical.state_hash(replayed) == canonical.state_hash(exchange)


TestCarbonWalk = CarbonWalk.TestCase
TestCarbonWalk.settings = settings(
    max_examples=6, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

AMOUNT_NAMES = ("most", "more", "few")


def step(walk: CarbonWalk, rng: random.Random) -> None:
    """One rule of the machine, the rarer ones as soon as they apply."""
    model, amount, symbol = walk.model, rng.choice(AMOUNT_NAMES), rng.choice(("CEA24", "CEA25", "CCER"))
    is_verified, is_final = model.verified is not None, model.stage == "final"
    steps: list[tuple[float, Callable[[], object]]] = [
        (0.2 if is_verified else 2, lambda: walk.report(rng.randint(0, 200))),
        (0.2 if is_verified else 4, lambda: walk.verify(rng.randint(0, 200))),
        (0.2 if model.stage else 2, lambda: walk.pre_allocate(rng.randint(1, 200))),
        (0.2 if is_final else 2, lambda: walk.true_up(rng.randint(0, 120))),
        (6 if is_verified else 1, lambda: walk.surrender(symbol, amount)),
        (6 if is_verified and not model.open else 1, lambda: walk.carry_over(amount)),
        (1, lambda: walk.credit(rng.randint(0, 1_200_000), rng.choice((0, 50_000, 333_333)), rng.randint(0, 10**8), rng.randint(-1, 1))),
        (1, lambda: walk.reverse(amount)),
        (8 if model.debt else 1, lambda: walk.give_back(rng.choice(("CEA24", "CEA25", "CEA26")), amount)),
        (1, walk.collect),
    ]
    if not walk.is_over:
        steps += [(3, lambda: walk.sell(amount)), (2, lambda: walk.buy(rng.randint(1, 60))), (0.5, lambda: walk.year_ends(0))]
    else:
        steps += [(4, lambda: walk.fine(rng.randint(4, 11)))]
    rng.choices([run for _, run in steps], [weight for weight, _ in steps])[0]()


def year(seed: int) -> Counter[tuple[str, bool]]:
    """A random year; what was sent, and whether it was taken."""
    rng, walk = random.Random(seed), CarbonWalk()
    walk.begin(rng.randint(0, 30), rng.randint(0, 30), rng.randint(0, 200), rng.randint(0, 200))
    for _ in range(60):
        step(walk, rng)
        walk.the_tables_are_whole()
        walk.the_exchange_is_the_model()
        walk.invariants_12_and_13()
    walk.teardown()
    return walk.seen


def test_years_that_see_every_document_taken_and_refused() -> None:
    """The same machine with rules drawn so that all of them come to something."""
    seen: Counter[tuple[str, bool]] = Counter()
    for seed in (2, 4, 5, 9):
        try:
            seen.update(year(seed))
        except AssertionError as error:
            error.add_note(f"year({seed}) of this file repeats it")
            raise
    documents = (
        ReportEmissions, VerifyEmissions, AllocateAllowances, SurrenderAllowances, CarryOverAllowances, SettleAllowanceDebt, ImposePenalty,
        IssueCredits, ReverseCredits,
    )  # fmt: skip
    assert {(document.__name__, taken) for document in documents for taken in (True, False)} <= set(seen)
