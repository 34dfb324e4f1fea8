"""Values of the carbon and project flows, told as a notice: the read model keeps them as series by subject, kind and period."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

NOTICE: Final = "flow"


class FlowValue(NamedTuple):
    """An amount of one period. `subject` is `park` for the whole of it, `account:N`, `device:N`, or a name that the flow's documents say.

    Of the same flow, subject, kind and period the last value counts; over time amounts of one kind are added.
    """

    subject: str
    kind: str
    period_start_ns: int
    value: int
    unit: str


def note_flows(exchange: "Exchange", flow: Literal["carbon", "project"], values: Sequence[FlowValue]) -> None:
    """Tell values of one flow, at most a million at once. Handlers call this after their checks; it is no state."""
    if values:
        exchange.notify(NOTICE, {"flow": flow, "values": list(values)})
