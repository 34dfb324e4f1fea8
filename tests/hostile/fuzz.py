"""Frames mutated from valid ones, against the decoder and against whole sessions on a running park.

    python -m tests.hostile.fuzz --inputs 1000000 --seed 1

No input raises, hangs or leaks, and each is answered exactly once: a frame whose id can be read with that id, any other with null. A failure prints
the seed and the number of the input at which it repeats, and writes the batch to a file.
"""

import argparse
import asyncio
import copy
import gc
import json
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import psutil
import pytest

from exchange.gateway.hub import Hub
from exchange.gateway.limits import Limits, Rate
from exchange.gateway.ports import NodePort
from exchange.gateway.turns import TurnConductor
from exchange.protocol import messages as m
from exchange.protocol.codec import Refusal, decode_id, decode_request
from tests.exchange.gateway import parks
from tests.exchange.gateway.parks import RawClient, request, running_park
from tests.exchange.gateway.test_logon import EXAMPLES
from tests.hostile.gateways import band_code

PARK_INPUTS: Final = 20_000  # for one park: its journal lies in memory
BATCH_MAX: Final = 24
HANG_S: Final = 20
PLENTY: Final = Rate(1e9, 1e9)
LIMITS: Final = Limits(
    connection=PLENTY, key=PLENTY, account=PLENTY, flush_interval_s=0.002, outbox_frames=10**7, outbox_bytes=10**10, max_logon_failures=10**9
)

INTERESTING: Final[tuple[Any, ...]] = (
    0, -1, 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**400, 0.1, -0.0, 1e308, True, False, None, "", "0", "-1",
    "1e3", "0.4000", "00",
    "NaN", "٣", "1_0", " 1", "9" * 400, "x" * 36, "x" * 37, "x" * 65, "\0", "\ud7ff", "电", "2.0", "order.place", [], {}, [[]], {"": ""},
)  # fmt: skip
TOKENS: Final = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u0000", b"\\ud800", b"\xff", b"\xc3\x28", b"\xef\xbb\xbf", b"\0", b"1e999", b"-", b"null",
    b"//",
)  # fmt: skip


class FrameSource:
    """An endless flow of frames from a seed: valid ones, valid ones with other values in them, and their bytes torn."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._corpus = [request(method, params, 1) for method, params in EXAMPLES.values()]
        values = self._other_values
        self._ways: tuple[Callable[[], bytes], ...] = (self._valid, self._valid, values, values, values, self._torn, self._torn, self._bomb)

    def next(self) -> bytes:
        return self._random.choice(self._ways)()

    def batch(self) -> list[bytes]:
        return [self.next() for _ in range(self._random.randint(1, BATCH_MAX))]

    def _message(self) -> dict[str, Any]:
        message: dict[str, Any] = msgspec.json.decode(self._random.choice(self._corpus))
        message["id"] = self._random.choice((self._random.randrange(-(2**63), 2**63), f"i{self._random.random()}"))
        return message

    def _valid(self) -> bytes:
        message = self._message()
        params = message.get("params")
        if isinstance(params, dict) and "client_order_id" in params:
            params["client_order_id"] = f"z{self._random.randrange(10_000)}"
        if message["method"] == "order.place":
            params |= {"price": f"0.{self._random.randint(3900, 4100)}", "quantity": f"0.{self._random.randint(1, 9)}"}
        if "order_id" in (params or {}):
            params["order_id"] = self._random.randint(1, 500)
        return msgspec.json.encode(message)

    def _other_values(self) -> bytes:
        message = self._message()
        for _ in range(self._random.randint(1, 3)):
            places = list(_places(message))
            holder, name = self._random.choice(places)
            self._change(holder, name)
        data = json.dumps(message).encode("utf-8", "surrogatepass")
        return b"[" + data + b"]" if self._random.random() < 0.02 else data

    def _change(self, holder: Any, name: Any) -> None:
        kind = self._random.random()
        if kind < 0.7:
            holder[name] = self._value()
        elif kind < 0.85 and isinstance(holder, dict):
            del holder[name]
        elif isinstance(holder, dict):
            holder[f"{name}{self._random.choice(('', 'x', '_ns'))}"] = self._value()
        else:
            holder.append(copy.deepcopy(holder[name]))

    def _value(self) -> Any:
        return copy.deepcopy(self._random.choice(INTERESTING))

    def _torn(self) -> bytes:
        data = bytearray(self._random.choice((self._valid, self._other_values))())
        for _ in range(self._random.randint(1, 4)):
            at = self._random.randrange(len(data) + 1)
            way = self._random.randrange(6)
            if way == 0 and data:
                data[at % len(data)] ^= 1 << self._random.randrange(8)
            elif way == 1:
                data[at:at] = self._random.choice(TOKENS)
            elif way == 2:
                del data[at : at + self._random.randint(1, 12)]
            elif way == 3:
                data[at:at] = data[at : at + self._random.randint(1, 60)]
            elif way == 4:
                data[at:] = self._valid()[at:]
            else:
                data[at:at] = self._random.randbytes(self._random.randint(1, 6))
        return bytes(data)

    def _bomb(self) -> bytes:
        """Large, deep or long; rarely, since each takes the time of many."""
        if self._random.random() < 0.9:
            return self._torn()
        size = self._random.choice((100, 1_000, 20_000, 70_000))
        filler = self._random.choice((b"[", b'{"a":', b"9", b" ", b'"', b"\\u0000", b"\xff", b"[1,", b"{}"))
        bomb = (filler * size)[: size + 10]
        return self._random.choice((bomb, b'{"jsonrpc":"2.0","id":5,"method":"balances","params":' + bomb + b"}"))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, name or index) of everything inside a message."""
    names: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from _places(value[name])


def check_decoder(frame: bytes) -> None:
    """Never raises, and both ways to read an id agree."""
    decoded = decode_request(frame)
    assert isinstance(decoded, Refusal | m.Request)
    request_id = decode_id(frame)
    if isinstance(decoded, m.Request):
        assert decoded.id == request_id


def expected_id(frame: bytes) -> int | str | None:
    return None if len(frame) > LIMITS.frame_bytes else decode_request(frame).id


async def check_session(client: RawClient, batch: list[bytes]) -> Counter[int]:
    """One batch: as many answers as frames, each with its id. Codes of the answers, 0 for accepted."""
    expected = Counter((type(request_id), request_id) for request_id in map(expected_id, batch))
    client.send(*batch)
    await client.all_answered()
    answers = [frame for frame in client.take() if "id" in frame]
    assert Counter((type(answer["id"]), answer["id"]) for answer in answers) == expected
    assert all(("result" in answer) is not ("error" in answer) for answer in answers)
    return Counter(band_code(answer) for answer in answers)


@contextmanager
def no_hang() -> Iterator[None]:
    """A batch has some seconds, wherever they go."""

    def late(*_: object) -> None:
        raise TimeoutError(f"a batch took more than {HANG_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


async def fuzz_park(source: FrameSource, inputs: int) -> Counter[int]:
    """So many frames against one park: sessions of a stranger, a member and an operator, new ones all the time."""
    codes: Counter[int] = Counter()
    done = 0
    async with running_park(LIMITS) as park:
        while done < inputs:
            for name in (None, "factory", "operator", "solar"):
                client = park.raw()
                if name is not None:
                    await client.log_on(name)
                for _ in range(8):
                    batch = source.batch()
                    with no_hang():
                        for frame in batch:
                            check_decoder(frame)
                        try:
                            codes += await check_session(client, batch)
                        except BaseException:
                            _keep(batch)
                            raise
                    done += len(batch)
                client.connection.disconnected()
        for _ in range(2_000):
            if not park.hub.in_flight and not park.hub.connections:
                break
            await asyncio.sleep(0.001)
        assert (park.hub.in_flight, len(park.hub.connections)) == (0, 0)
    return codes


def _keep(batch: list[bytes]) -> None:
    with tempfile.NamedTemporaryFile("wb", prefix="parkex-fuzz-", suffix=".json", delete=False) as file:
        file.write(json.dumps([frame.hex() for frame in batch]).encode())
    print(f"the batch is in {file.name}, each frame in hexadecimal", file=sys.stderr)


class HubOnly:
    """In place of the application, whose routes the web framework's caches keep for the life of a process: here there are fifty."""

    def __init__(self, node: NodePort, conductor: TurnConductor | None, limits: Limits) -> None:
        self.state = SimpleNamespace(hub=Hub(node, limits, conductor=conductor))

    async def __call__(self, *_: object) -> None:
        """Nobody asks it anything."""


def campaign(inputs: int, seed: int, on_park: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Parks one after the other. Memory is compared between the second and the last: the first fills caches that stay."""
    began_s = time.perf_counter()
    codes: Counter[int] = Counter()
    resident, objects = [], []
    done = 0
    while done < inputs:
        part = min(PARK_INPUTS, inputs - done)
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(parks, "create_app", HubOnly)
                codes += asyncio.run(fuzz_park(FrameSource(seed + done), part))
        except BaseException:
            print(f"failed in: python -m tests.hostile.fuzz --inputs {part} --seed {seed + done}", file=sys.stderr)
            raise
        done += part
        gc.collect()
        resident.append(psutil.Process().memory_info().rss / 1e6)
        objects.append(len(gc.get_objects()))
        on_park(done)
    return {
        "inputs": sum(codes.values()), "accepted": codes[0], "refused_by_code": {str(code): codes[code] for code in sorted(codes) if code},
        "seconds": round(time.perf_counter() - began_s, 1), "resident_mb": [round(resident[min(1, len(resident) - 1)], 1), round(resident[-1], 1)],
        "objects": [objects[min(1, len(objects) - 1)], objects[-1]],
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1), "seed": seed,
    }  # fmt: skip


def main() -> None:
    """Run and print one JSON line; exit code 1 when memory grew by more than a tenth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    result = campaign(arguments.inputs, arguments.seed, lambda done: print(done, file=sys.stderr))
    print(json.dumps(result))
    grew = any(after > 1.1 * before for before, after in (result["resident_mb"], result["objects"]))
    sys.exit(1 if grew else 0)


if __name__ == "__main__":
    main()
