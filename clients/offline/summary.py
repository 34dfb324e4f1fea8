"""Counts of one run of `parkex match`, and how they are told."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from clients.offline.tables import REASON_NAMES
from clients.offline.texts import Scale
from matching.records import EventKind


@dataclass(slots=True)
class Summary:
    """What a file held and what became of it."""

    lot: Scale
    lines: int = 0
    orders: int = 0
    trades: int = 0
    volume_lots: int = 0
    rests: int = 0
    seconds: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, events: np.ndarray) -> None:
        """Count what happened."""
        is_fill = events["kind"] == EventKind.FILLED
        self.trades += int(is_fill.sum())
        self.volume_lots += int(events["quantity_lots"][is_fill].sum(dtype=np.int64))
        reasons, counts = np.unique(events["reason"][events["kind"] == EventKind.REJECTED], return_counts=True)
        self.refused.update({REASON_NAMES[reason]: count for reason, count in zip(reasons.tolist(), counts.tolist(), strict=True)})

    def text(self) -> str:
        """Lines of text, the reasons by their number of entries."""
        rows = [
            ("lines", f"{self.lines:,}"),
            ("orders", f"{self.orders:,}"),
            ("trades", f"{self.trades:,}"),
            ("volume", self.lot.text_of(self.volume_lots)),
            ("resting orders", f"{self.rests:,}"),
            ("refused entries", f"{self.refused.total():,}"),
            *((f"  {reason}", f"{count:,}") for reason, count in sorted(self.refused.items(), key=lambda item: (-item[1], item[0]))),
            ("lines per second", f"{self.lines / self.seconds if self.seconds else 0:,.0f}"),
        ]
        return "\n".join(f"{name:<34} {value:>20}" for name, value in rows)
