"""Certificates against a model in plain Python that shares no code: issued, claimed under several schemes, moved, withdrawn, retired, expired.

After every step the balances, the claims of every scheme and quarter-hour, the carries and what has ended are those of the model, the exchange passes
its own checks, and a refused document has changed nothing (CertificatePark.refused compares the whole content).
"""

from collections import defaultdict
from typing import Final

import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.business.granular import issue_granular
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.value_chain.certificates import FileSelfUseProof, IssueMonthlyCertificates
from exchange.protocol.value_chain.units import TransferUnits, WithdrawUnits
from exchange.registry.claims import ClaimRegister, ClaimRows, ClaimScheme
from exchange.registry.green_output import GreenUse
from exchange.registry.lifecycle import UnitState
from exchange.units import PERIOD_NS
from tests.exchange.order_path.business.certificate_park import AUGUST, JULY, CertificatePark, at
from tests.exchange.order_path.park import GENESIS

MWH: Final = 1_000_000
MONTHS: Final = {"2026-07": JULY, "2026-08": AUGUST}
TIMES: Final = [at("2026-09-01T00:00"), at("2028-07-01T00:00"), at("2028-08-01T00:00")]

months = st.sampled_from(list(MONTHS))
members = st.sampled_from(["plant", "user", "other"])
small = st.integers(1, 4)


class Holding:
    """Units of a member in a month's certificates: what it may still sell, and what it may not."""

    def __init__(self) -> None:
        self.tradable = self.bound = 0

    @property
    def total(self) -> int:
        return self.tradable + self.bound

    def end(self, quantity: int) -> None:
        """What cannot be sold ends first."""
        from_bound = min(self.bound, quantity)
        self.bound -= from_bound
        self.tradable -= quantity - from_bound


class CertificateMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.park = CertificatePark()
        self.green = self.park.device(self.park.other, "shed", "wind", "granular")
        self.generation: dict[tuple[str, int], int] = {}  # of the monthly plant, by month and place in it
        self.elsewhere: dict[tuple[str, int], int] = defaultdict(int)  # claimed as park credits
        self.used: dict[tuple[str, str], int] = defaultdict(int)
        self.carry: dict[str, int] = defaultdict(int)
        self.waiting: dict[tuple[str, str], int] = defaultdict(int)
        self.proofs: set[str] = {"plant"}
        self.certified: set[str] = set()
        self.expired_months: set[str] = set()
        self.holdings: dict[tuple[str, str], Holding] = defaultdict(Holding)
        self.ended: dict[tuple[str, str], int] = defaultdict(int)
        self.monthly_claims_wh = 0
        self.granular: dict[str, list[list[int]]] = defaultdict(list)  # [quarter, Wh] in the order of issuance
        self.granular_claims: dict[int, int] = {}
        self.granular_ended: dict[str, int] = defaultdict(int)
        self.retirements = 0

    def account(self, name: str) -> int:
        return int(getattr(self.park, name))

    def is_over(self, month: str) -> bool:
        return month == "2026-07" or self.park.now_ns >= TIMES[0]

    # Energy.

    @rule(month=months, wh=st.integers(1, 3 * MWH), place=st.integers(0, 3))
    def generate(self, month: str, wh: int, place: int) -> None:
        if (month, place) in self.generation or month in self.certified or not self.is_over(month):
            return
        self.generation[month, place] = wh
        self.park.meter(self.park.plant, f"{month}-10T0{place}:00", wh)

    @rule(month=months, user=members, wh=st.integers(1, MWH))
    def use(self, month: str, user: str, wh: int) -> None:
        """What settlement says of a plant's energy."""
        output = self.park.output((0, self.park.pv, GreenUse.DELIVERED, self.account(user), wh))
        output.period_start_ns[:] = at(f"{month}-10T00:00")
        issue_granular(self.park.exchange, output)
        self.used[month, user] += wh

    @rule(month=months, place=st.integers(0, 3), wh=st.integers(1, 2 * MWH))
    def claim_elsewhere(self, month: str, place: int, wh: int) -> None:
        """Another scheme takes Wh of the plant, as far as nobody has them."""
        generated = self.generation.get((month, place), 0)
        start_ns = at(f"{month}-10T0{place}:00")
        columns = (self.park.pv, start_ns, wh, generated)
        claims = ClaimRows(*(np.array([value], np.int64) for value in columns))
        register = self.park.exchange.rooms.certificates.claims
        monthly = int(register.claimed_wh(claims.device, claims.period_start_ns, ClaimScheme.GEC)[0])
        is_free = wh + self.elsewhere[month, place] + monthly <= generated
        assert (register.problem(ClaimScheme.PARK_CREDIT, claims) is None) == is_free
        if is_free:
            register.claim(ClaimScheme.PARK_CREDIT, claims)
            self.elsewhere[month, place] += wh

    @rule(quarter=st.integers(0, 5), shares=st.dictionaries(members, st.integers(1, 500), min_size=1))
    def settle(self, quarter: int, shares: dict[str, int]) -> None:
        """A quarter-hour of the granular device: certified once; told again, nothing of it is free."""
        rows = sorted((self.account(name), name, wh) for name, wh in shares.items())
        output = self.park.output(*[(quarter, self.green, GreenUse.DELIVERED, account, wh) for account, _, wh in rows])
        free = max(sum(wh for *_, wh in rows) - self.granular_claims.get(quarter, 0), 0)
        if "2026-07" in self.expired_months:
            free = 0
        assert issue_granular(self.park.exchange, output) == free
        for _, name, wh in rows:
            part = min(wh, free)
            free -= part
            if part:
                self.granular[name].append([quarter, part])
                self.granular_claims[quarter] = self.granular_claims.get(quarter, 0) + part

    # Monthly certificates.

    @rule(month=months)
    def certify(self, month: str) -> None:
        document = IssueMonthlyCertificates(month=month)
        free = {place: wh - self.elsewhere[month, place] for (m, place), wh in self.generation.items() if m == month}
        used = {user: wh for (m, user), wh in self.used.items() if m == month and wh}
        refusal = (
            "month_is_not_over" if not self.is_over(month)
            else "certificates_would_have_expired" if month in self.expired_months
            else "month_is_certified" if month in self.certified
            else "self_use_beyond_generation" if sum(used.values()) > sum(free.values())
            else None
        )  # fmt: skip
        if refusal is not None:
            assert self.park.refused(document, self.park.registrar) == refusal
            return
        self.park.ok(document, self.park.registrar)
        self.certified.add(month)
        self.monthly_claims_wh += sum(free.values())
        for user, wh in {"grid": sum(free.values()) - sum(used.values()), **used}.items():
            units, self.carry[user] = divmod(self.carry[user] + wh, MWH)
            if user == "grid":
                self.holdings["plant", month].tradable += units
            elif user in self.proofs:
                self.holdings[user, month].bound += units
            else:
                self.waiting[user, month] += units
        for user in used:
            self.used[month, user] = 0

    @rule(user=members)
    def prove(self, user: str) -> None:
        document = FileSelfUseProof(device=self.park.pv, contract="EMC", payment_reference="B")
        if user in self.proofs:
            assert self.park.refused(document, self.account(user)) == ("user_is_the_generator" if user == "plant" else "proof_is_filed")
            return
        self.park.ok(document, self.account(user))
        self.proofs.add(user)
        for month in MONTHS:
            units = self.waiting.pop((user, month), 0)
            if month not in self.expired_months:  # else the energy stays claimed, and nobody gets a certificate of it
                self.holdings[user, month].bound += units

    @rule(month=months, sender=members, receiver=st.sampled_from(["user", "other"]), quantity=small)
    def move(self, month: str, sender: str, receiver: str, quantity: int) -> None:
        if sender == receiver:
            return
        document = TransferUnits(symbol=MONTHS[month], to_account=self.account(receiver), reference="r", quantity_lots=quantity)
        held = self.holdings[sender, month]
        if quantity > held.tradable:
            assert self.park.refused(document, self.account(sender)) == "units_not_available"
            return
        self.park.ok(document, self.account(sender))
        held.tradable -= quantity
        self.holdings[receiver, month].bound += quantity

    @rule(month=months, member=members, quantity=small, year=st.sampled_from([2025, 2026, 2027]))
    def retire(self, month: str, member: str, quantity: int, year: int) -> None:
        consumed = {"consumed_from_ns": at(f"{year}-03-01T00:00"), "consumed_to_ns": at(f"{year}-04-01T00:00")}
        document = self.park.retire(MONTHS[month], quantity, **consumed)
        held = self.holdings[member, month]
        refusal = (
            "units_have_expired" if month in self.expired_months
            else "consumption_year_is_not_generation_year" if year == 2027
            else "units_not_available" if quantity > held.total
            else None
        )  # fmt: skip
        if refusal is not None:
            assert self.park.refused(document, self.account(member)) == refusal
            return
        self.retirements += 1
        assert self.park.ok(document, self.account(member))["retirement"] == self.retirements
        held.end(quantity)
        self.ended[month, "RETIRED"] += quantity

    @rule(month=months, member=members, quantity=small)
    def withdraw(self, month: str, member: str, quantity: int) -> None:
        document = WithdrawUnits(account=self.account(member), symbol=MONTHS[month], reference="r", quantity_lots=quantity)
        held = self.holdings[member, month]
        if quantity > held.total:
            assert self.park.refused(document, self.park.registrar) == "units_not_available"
            return
        self.park.ok(document, self.park.registrar)
        held.end(quantity)
        self.ended[month, "WITHDRAWN"] += quantity
        self.monthly_claims_wh -= quantity * MWH

    # Granular certificates.

    @rule(member=members, wh=st.integers(1, 700))
    def retire_granular(self, member: str, wh: int) -> None:
        document, held = self.park.retire("", wh), self.granular[member]
        if wh > sum(part for _, part in held):
            assert self.park.refused(document, self.account(member)) == "units_not_available"
            return
        self.retirements += 1
        self.park.ok(document, self.account(member))
        self.granular_ended[member] += wh
        _take(held, sorted(range(len(held)), key=lambda place: held[place][0]), wh)

    @rule(member=members, wh=st.integers(1, 700))
    def withdraw_granular(self, member: str, wh: int) -> None:
        document = WithdrawUnits(account=self.account(member), symbol="", reference="r", quantity_lots=wh)
        held = self.granular[member]
        if wh > sum(part for _, part in held):
            assert self.park.refused(document, self.park.registrar) == "units_not_available"
            return
        self.park.ok(document, self.park.registrar)
        for quarter, part in _take(held, range(len(held)), wh):
            self.granular_claims[quarter] -= part

    # Time.

    @precondition(lambda self: self.park.now_ns < TIMES[-1])
    @rule()
    def go_on(self) -> None:
        self.park.tick(next(time_ns for time_ns in TIMES if time_ns > self.park.now_ns))
        for month, expiry_ns in zip(MONTHS, TIMES[1:], strict=True):
            if self.park.now_ns >= expiry_ns and month not in self.expired_months:
                self.expired_months.add(month)
                for member in ("plant", "user", "other"):
                    held = self.holdings[member, month]
                    self.ended[month, "EXPIRED"] += held.total
                    held.tradable = held.bound = 0
        if self.park.now_ns >= TIMES[1]:  # all granular certificates here are of July
            self.granular.clear()

    @rule()
    def restart(self) -> None:
        """From a snapshot, with the same hash."""
        restored = Exchange(GENESIS)
        canonical.restore(restored, canonical.snapshot(self.park.exchange))
        assert canonical.state_hash(restored) == canonical.state_hash(self.park.exchange)
        self.park.exchange = restored

    @invariant()
    def agrees(self) -> None:
        park, certificates = self.park, self.park.exchange.rooms.certificates
        for month, symbol in MONTHS.items():
            for member in ("plant", "user", "other"):
                assert park.held(self.account(member), symbol) == self.holdings[member, month].total
            for place in ("RETIRED", "EXPIRED", "WITHDRAWN"):
                assert park.ended(House[place], symbol) == self.ended[month, place]
        for member in ("plant", "user", "other"):
            assert park.granular(self.account(member)) == sum(wh for _, wh in self.granular[member])
            assert park.granular(self.account(member), UnitState.RETIRED) == self.granular_ended[member]
        users = {"grid": 0} | {name: self.account(name) for name in ("plant", "user", "other")}
        assert certificates.monthly.carry_wh == {(park.pv, users[user]): wh for user, wh in self.carry.items() if wh}
        assert certificates.claims.total_wh(ClaimScheme.GEC) == self.monthly_claims_wh
        assert len(certificates.retirements.by_number) == self.retirements
        self._check_claims(certificates.claims)
        check_exchange(park.exchange)

    def _check_claims(self, claims: ClaimRegister) -> None:
        """No Wh twice: in each quarter-hour the claims of all schemes are at most its generation, and those of the model."""
        of_plant: dict[tuple[int, int], int] = defaultdict(int)
        for scheme, device, day_ns, row in claims:
            for place in np.flatnonzero(row).tolist():
                if device == self.park.pv:
                    of_plant[day_ns + place * PERIOD_NS, scheme] += int(row[place])
        for (month, place), generated in self.generation.items():
            start_ns = at(f"{month}-10T0{place}:00")
            assert of_plant[start_ns, ClaimScheme.PARK_CREDIT] == self.elsewhere[month, place]
            assert sum(of_plant[start_ns, scheme] for scheme in ClaimScheme) <= generated
        starts = np.array([at("2026-07-10T00:00") + quarter * PERIOD_NS for quarter in range(6)], np.int64)
        granular = claims.claimed_wh(np.full(6, self.green, np.int64), starts).tolist()
        assert granular == [self.granular_claims.get(quarter, 0) for quarter in range(6)]


def _take(held: list[list[int]], order: "range | list[int]", wh: int) -> list[tuple[int, int]]:
    """(quarter, Wh) taken from lots in an order; those that are empty go."""
    taken = []
    for place in order:
        part = min(held[place][1], wh)
        held[place][1] -= part
        wh -= part
        if part:
            taken.append((held[place][0], part))
    held[:] = [lot for lot in held if lot[1]]
    return taken


TestCertificates = CertificateMachine.TestCase
TestCertificates.settings = settings(max_examples=20, stateful_step_count=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
