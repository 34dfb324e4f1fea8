"""From a certificate, a trade or a line of a statement back to where it comes from, and on to what became of it.

Everything is told from the journal: it is folded once to find what is asked for, and where serial numbers moved a second time up to those commands.
"""

from pathlib import Path

from exchange.errors import InputError
from exchange.maintenance.places import journal_in
from exchange.maintenance.trace.certificates import trace_certificate
from exchange.maintenance.trace.lines import trace_line
from exchange.maintenance.trace.node import Node
from exchange.maintenance.trace.past import Past
from exchange.maintenance.trace.trades import trace_trade

__all__ = ["Node", "trace"]


def trace(path: Path, what: str, archive: Path | None = None) -> Node:
    """The chain of `what` in an exchange's folder: a serial number (PARK-...), SYMBOL#NUMBER of a trade, or DAY/ACCOUNT/ITEM of a statement's line,
    where ACCOUNT is a number or a name.

    Raises InputError for something that is none of these or is not there, CorruptionError for a damaged journal.
    """
    past = Past(journal_in(path), archive)
    if what.startswith("PARK-"):
        return trace_certificate(past, what)
    if what.count("#") == 1:
        return trace_trade(past, what)
    if what.count("/") == 2:
        return trace_line(past, what)
    raise InputError("trace a serial number (PARK-...), a trade (SYMBOL#NUMBER) or a line of a statement (DAY/ACCOUNT/ITEM)")
