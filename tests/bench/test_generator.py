"""The standard streams: their bytes are fixed for ever, or no figure could be compared with an older one."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.workloads import generator
from bench.workloads.generator import Parameters, generate
from bench.workloads.lobstrm import ADD, CANCEL, IOC, REPLACE

# SHA-256 of OUT.bin and OUT.json (whose `args.out` is stream.bin) as the published generator of these streams wrote them.
PUBLISHED = {
    Parameters(n=3000, resting=50, seed=7): (
        "1ffba3cfaaa14f6c58037500ce12e5b5e186affccff04ddedde1202774f3f6a7",
        "d9e9e81225f2f08f690980cc7c8740629846d5ee3a9e8b59705fac9634e9c800",
    ),
    Parameters(n=4000, symbols=7, resting=20, mean=12.0, maxd=40, seed=2): (
        "5e19ffcb021e2d1587d9e2a180085fa0237c4427da11d2b9cc58d1148e300c7a",
        "8bed873856803e7cd65351a0f32ad8667b4e1b702bb44adccb058233f14d903b",
    ),
    Parameters(n=2000, resting=8, mean=5.0, maxd=9, touch=0.6, move=0.2, amax=400, seed=3): (
        "d5ccde9a133249f6f311234b598aad9cdc215b37d4b4bb226cb76434620f4aa4",
        "2126f0b11f4deed44111571c12b94b8bf96d9bcbd8755cc97fc1687e670f66fd",
    ),
    Parameters(n=2500, resting=400, shape=0.7, seed=11): (
        "3a1da2609f7ea7df674644064cc09601c3e0f6eb46ff407fd8edc37148f93fc6",
        "cdf365ec791cd39941286ff8450a9eb70a03bc702253a852e1dc439f2561813a",
    ),
    Parameters(n=12000, resting=1000, seed=1): (
        "21470f5e046e7d1268c56bf47985bf462f6fc3a5fd13b3c808e97ea688f6b2c4",
        "1b5ae2f1d510ad447f970c41ab7d0a40d048efbd863512962f2906b3ca18ad22",
    ),
    Parameters(n=1000, symbols=40, resting=3, seed=5): (
        "85c32660cfa1d44902f7045e619564256728513b8bcf47807b0c8368b765784f",
        "2e7a410c6522b23d4c35bb382fe294ae997880736b59d13ad04841fb1975a15f",
    ),
}


@pytest.mark.parametrize(("parameters", "digests"), PUBLISHED.items(), ids=lambda value: value.slug if isinstance(value, Parameters) else "")
def test_bytes_are_those_published(parameters: Parameters, digests: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "stream.bin"
    options = [f"--{name}={value}" for name, value in vars(parameters).items() if value != getattr(Parameters(), name)]
    assert generator.main([str(path), *options]) == 0
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), hashlib.sha256(path.with_suffix(".json").read_bytes()).hexdigest()) == digests


def test_room_for_live_orders_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = Parameters(n=1_000, resting=300)
    plain = generate(parameters)
    monkeypatch.setattr(generator, "LIVE_ROOM", 0)
    assert generate(parameters).messages.tobytes() == plain.messages.tobytes()


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (Parameters(n=999, resting=10), "1000 timed messages"),
        (Parameters(n=1_000, resting=0), "1000 timed messages"),
        (Parameters(n=1_000, symbols=2**16 + 1, resting=1), "65536 symbols"),
        (Parameters(n=1_000, resting=10, mean=60_000.0, maxd=50_000), "prices left the band"),
    ],
)
def test_parameters_that_make_no_stream_are_refused(parameters: Parameters, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        generate(parameters)


def test_every_message_names_what_is_there() -> None:
    """Against a dict of live orders: ids ascend from 1, changes name live orders of that side, book and quantity."""
    stream = generate(Parameters(n=3_000, symbols=3, resting=20, seed=4))
    live: dict[int, tuple[int, int]] = {}
    next_id = 1
    for message in stream.messages:
        kind, order_id, place = int(message["type"]), int(message["id"]), (int(message["side"]), int(message["symbol"]))
        assert kind in {ADD, CANCEL, REPLACE, IOC}
        if kind in {ADD, IOC}:
            assert order_id == next_id
            next_id += 1
            live[order_id] = place
        else:
            assert live[order_id] == place
        if kind == CANCEL:
            del live[order_id]
    assert stream.expected["max_id"] == next_id - 1


def test_names_of_streams_differ_with_every_parameter() -> None:
    base = Parameters()
    changed = [Parameters(**{name: type(value)(value + 1)}) for name, value in vars(base).items()]
    assert len({parameters.slug for parameters in [base, *changed]}) == 1 + len(changed)


def test_command_refuses_bad_parameters(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.workloads.generator", str(tmp_path / "x.bin"), "--n", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 2
    assert "timed messages" in done.stderr
    assert not (tmp_path / "x.bin").exists()


def test_results_are_json_that_names_the_file(tmp_path: Path) -> None:
    generator.main([str(tmp_path / "a.bin"), "--n", "1000", "--resting", "10"])
    assert json.loads((tmp_path / "a.json").read_text())["args"]["out"] == "a.bin"
