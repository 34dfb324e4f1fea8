"""An independent model of units: one entry a unit, in plain dictionaries and lists, without ranges, rows or queues."""

from collections import defaultdict
from dataclasses import dataclass, field

Serial = tuple[int, int]  # issuance, number


@dataclass
class Unit:
    owner: int
    asset: int
    state: str = "ISSUED"
    transfers: int = 0
    day: int = 0


@dataclass
class Model:
    """`resale` by asset: free, next_day, none. `order`: all units of an (asset, account) in the order in which they arrived."""

    resale: dict[int, str]
    units: dict[Serial, Unit] = field(default_factory=dict)
    order: dict[tuple[int, int], list[Serial]] = field(default_factory=lambda: defaultdict(list))
    day: int = 0
    issuances: int = 0

    def issue(self, asset: int, account: int, quantity: int) -> list[Serial]:
        self.issuances += 1
        made = [(self.issuances, number) for number in range(1, quantity + 1)]
        for serial in made:
            self.units[serial] = Unit(account, asset)
            self.order[asset, account].append(serial)
        return made

    def held(self, asset: int, account: int, state: str = "ISSUED") -> list[Serial]:
        return [serial for serial in self.order[asset, account] if self.units[serial].state == state]

    def is_sellable(self, serial: Serial) -> bool:
        unit = self.units[serial]
        if unit.transfers == 0 or self.resale[unit.asset] == "free":
            return True
        return self.resale[unit.asset] == "next_day" and unit.day < self.day

    def sellable(self, asset: int, account: int) -> list[Serial]:
        return [serial for serial in self.held(asset, account) if self.is_sellable(serial)]

    def first(self, asset: int, account: int, quantity: int) -> list[Serial]:
        """What is set aside or ends first: units that cannot be sold, then the others, each in the order of arrival."""
        held = self.held(asset, account)
        return sorted(held, key=self.is_sellable)[:quantity]

    def hand_over(self, asset: int, debit: int, credit: int, quantity: int) -> list[Serial]:
        moved = self.sellable(asset, debit)[:quantity]
        for serial in moved:
            self.arrive(serial, credit, asset)
            self.units[serial].transfers += 1
            self.units[serial].day = self.day
        return moved

    def arrive(self, serial: Serial, account: int, asset: int) -> None:
        unit = self.units[serial]
        self.order[unit.asset, unit.owner].remove(serial)
        unit.owner, unit.asset = account, asset
        self.order[asset, account].append(serial)

    def change(self, serials: list[Serial], state: str) -> None:
        for serial in serials:
            self.units[serial].state = state
            self.arrive(serial, self.units[serial].owner, self.units[serial].asset)

    def prefer(self, asset: int, account: int, serials: list[Serial]) -> None:
        rest = [serial for serial in self.order[asset, account] if serial not in serials]
        self.order[asset, account] = [*serials, *rest]
