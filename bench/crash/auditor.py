"""The auditor: a process of its own that folds the journal from its first command, never restarts, and compares.

    python -m bench.crash.auditor DIRECTORY

One JSON line on stdin, one on stdout:

    {"fold": 5120, "state_hash": "…", "snapshot": true}    fold up to a sequence; is the node's state the same there?
    {"audit": "told.msgpack"}                              fold the rest; does the journal hold what clients were told, once?

As the follower of an exchange does, it leaves snapshots beside the journal, so that recovery reads a state which another process wrote.
"""

import json
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from exchange.errors import ParkexError
from exchange.gateway.answers import order_answer
from exchange.gateway.executions import maker_report, taker_report
from exchange.gateway.queries import balances_result, open_orders_result, positions_result
from exchange.journal.interface import Group
from exchange.journal.record import CommandKind
from exchange.journal.segments import JournalReader
from exchange.journal.walk import load_layout, read_groups
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import EXECUTION, TRADE_KINDS, OutcomeFlag
from exchange.protocol.messages import OrderResult
from exchange.recovery import take_snapshot
from exchange.replay import state_hash_hex
from exchange.service import SNAPSHOTS_FOLDER

_KEYED = frozenset({CommandKind.PLACE, CommandKind.AMEND, CommandKind.CANCEL, CommandKind.MASS_CANCEL, CommandKind.BASKET})
_IN_DECIMALS = frozenset({CommandKind.PLACE, CommandKind.AMEND, CommandKind.BASKET})  # their answers speak of lots
_NAMES = EXECUTION.names or ()
_KIND, _INSTRUMENT, _ACCOUNT, _COUNTER_ACCOUNT = (_NAMES.index(name) for name in ("kind", "instrument", "account", "counter_account"))

Key = tuple[int, str]  # account and client order id


class Auditor:
    """Folds, and keeps of each idempotency key the first outcome and how often there was a first one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._exchange = Exchange(load_layout(directory).genesis)
        self._outcomes: dict[Key, dict[str, Any]] = {}
        self._executed: Counter[Key] = Counter()
        self._sequences: defaultdict[Key, set[int]] = defaultdict(set)
        self._executions: defaultdict[int, list[Any]] = defaultdict(list)
        self._chain_hash = ""
        self.trades = 0

    def fold(self, sequence: int) -> str:
        """State hash as of `sequence`, which is the end of a group."""
        for group in read_groups(load_layout(self._directory), self._exchange.last_sequence + 1, sequence):
            self._take(group)
        if self._exchange.last_sequence != sequence:
            raise ParkexError(f"the journal ends at {self._exchange.last_sequence}, the node was at {sequence}")
        return state_hash_hex(self._exchange)

    def snapshot(self) -> None:
        take_snapshot(self._exchange, self._chain_hash, self._directory / SNAPSHOTS_FOLDER)

    def fold_rest(self) -> None:
        """The whole chain is checked once more, and what is left of it folded; checkpoints in it are compared as it goes."""
        journal = JournalReader.open(self._directory)
        for group in journal.groups(self._exchange.last_sequence + 1):
            self._take(group)
        check_exchange(self._exchange)

    def read_model_problem(self, database: Path) -> list[str]:
        """The read model holds every trade once, and has followed to the end."""
        if not database.exists():
            return []
        with closing(sqlite3.connect(database)) as connection:
            sequence = connection.execute("select last_sequence from meta").fetchone()[0]
            trades = connection.execute("select count(*) from trades").fetchone()[0]
        found, expected = (sequence, trades), (self._exchange.last_sequence, self.trades)
        return [] if found == expected else [f"(last command, trades) of the read model are {found}, of the journal {expected}"]

    def _take(self, group: Group) -> None:
        batch = self._exchange.apply(group.records, group.documents, group.first_sequence)
        self._chain_hash = group.chain_hash
        for record, outcome in zip(batch.records, batch.outcomes, strict=True):
            if int(record["kind"]) not in _KEYED:
                continue
            key = int(record["account"]), record["client_order_id"].decode()
            self._sequences[key].add(int(outcome["sequence"]))
            if not int(outcome["flags"]) & OutcomeFlag.DUPLICATE:
                self._executed[key] += 1
                self._outcomes.setdefault(key, self._told(record, outcome))
        self._keep_executions(batch)

    def _told(self, record: np.void, outcome: np.void) -> dict[str, Any]:
        """What the gateway has to say about this outcome."""
        kind = int(record["kind"])
        spec = self._exchange.instrument_by_id(int(record["instrument"])).spec if kind in _IN_DECIMALS else None
        answer = order_answer(outcome, spec, int(record["quantity_lots"]))
        if isinstance(answer, OrderResult):
            return msgspec.to_builtins(answer)  # type: ignore[no-any-return]
        code, data = answer
        return {"code": int(code), **data}

    def _keep_executions(self, batch: BatchResult) -> None:
        for row in batch.executions.tolist():
            instrument = self._exchange.instrument_by_id(row[_INSTRUMENT])
            self._executions[row[_ACCOUNT]].append(taker_report(row, instrument))
            if row[_KIND] in TRADE_KINDS:
                self.trades += 1
                self._executions[row[_COUNTER_ACCOUNT]].append(maker_report(row, instrument))

    def outcome(self, account: int, key: str) -> dict[str, Any]:
        """What the gateway had to say about the first command under a key."""
        return self._outcomes[account, key]

    def executed_more_than_once(self) -> list[Key]:
        return [key for key, count in self._executed.items() if count > 1]

    def audit(self, told: dict[str, Any]) -> dict[str, Any]:
        """Counts of lost and doubled commands, and what else differs, in words. `told`: by account, see `campaign.told_by`."""
        lost: list[str] = []
        complaints: list[str] = []
        keys: set[Key] = set()
        for account, commands in ((int(account), member["commands"]) for account, member in told.items()):
            for names, answers in commands:
                keys |= {(account, name) for name in names}
                lost += self._lost(account, names, answers)
        doubled = [f"{key} was executed {self._executed[key]} times" for key in self.executed_more_than_once()]
        doubled += [f"{key} was executed, and nobody sent it" for key in self._executed.keys() - keys]
        for account, member in told.items():
            complaints += self._differences(int(account), member)
        return {"lost": len(lost), "doubled": len(doubled), "complaints": [*lost, *doubled, *complaints][:20], "trades": self.trades}

    def _lost(self, account: int, names: Sequence[str], answers: list[dict[str, Any]]) -> list[str]:
        """Of one command: what was told and is not what the journal says."""
        keys = [(account, name) for name in names]
        outcomes = [self._outcomes.get(key) for key in keys]
        if None not in outcomes and len(answers) < len(names):
            # A refused basket is told the code of one leg; the others are refused too.
            leg = answers[0]["leg"]
            refused = all("code" in (outcome or {}) for outcome in outcomes)
            same = refused and self._is_same(keys[leg], {name: value for name, value in answers[0].items() if name != "leg"})
        else:
            same = None not in outcomes and all(self._is_same(key, answer) for key, answer in zip(keys, answers, strict=True))
        return [] if same else [f"{names} was told {answers}, the journal says {outcomes}"]

    def _is_same(self, key: Key, answer: dict[str, Any]) -> bool:
        """An answer names the record it answers, which may be a resend; all the rest is the outcome of the first."""
        return answer["sequence"] in self._sequences[key] and answer | {"sequence": 0} == self._outcomes[key] | {"sequence": 0}

    def _differences(self, account: int, member: dict[str, Any]) -> list[str]:
        """Executions one by one, and the answers of the node to the last questions, against the fold."""
        found = []
        executions = [msgspec.to_builtins(execution) for execution in self._executions[account]]
        if executions != member["executions"]:
            at = next((n for n, pair in enumerate(zip(executions, member["executions"], strict=False)) if pair[0] != pair[1]), "the end")
            found.append(f"account {account}: executions differ from {at} on, {len(executions)} and {len(member['executions'])}")
        state = {
            "orders": open_orders_result(self._exchange, account, None),
            "positions": positions_result(self._exchange, account, None),
            "balances": balances_result(self._exchange, account),
        }
        found += [f"account {account}: {name} differ" for name, value in state.items() if msgspec.to_builtins(value) != member["state"][name]]
        return found


def main(directory: Path) -> None:
    """Answer until stdin ends."""
    auditor = Auditor(directory)
    for line in sys.stdin:
        words = json.loads(line)
        answer: dict[str, Any]
        if "fold" in words:
            state_hash = auditor.fold(words["fold"])
            answer = {"same": state_hash == words["state_hash"]}
            if words["snapshot"]:
                auditor.snapshot()
        else:
            told = msgspec.msgpack.decode(Path(words["audit"]).read_bytes())
            auditor.fold(told["sequence"])
            answer = auditor.audit(told["members"])
            auditor.fold_rest()
            answer["complaints"] += auditor.read_model_problem(directory.parent / "readmodel.sqlite")
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
