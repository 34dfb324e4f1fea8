"""A Dask cluster of processes gives the results of this machine, failures included."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from clients.laboratory.sweep.dask_runner import DaskCluster
from clients.laboratory.sweep.results import ResultFile
from clients.laboratory.sweep.runner import Runner
from exchange.errors import InputError
from tests.architecture.repository import ROOT
from tests.clients.laboratory.sweep.plays import FUNCTIONS
from tests.clients.laboratory.sweep.test_runner import in_this_process, plan

# A process of its own: Dask keeps threads and sockets for the life of the process that starts a cluster.
CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None, silence_logs=50) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a scheduler with two worker processes."""
    program = tmp_path_factory.mktemp("cluster") / "cluster.py"
    program.write_text(CLUSTER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, str(program)], env=environment, cwd=program.parent, **pipes)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("", timeout=60)


@pytest.mark.parametrize("function", ["measured", "raises_for_uniform"])
def test_the_results_of_this_machine(cluster: str, tmp_path: Path, function: str) -> None:
    tasks = plan(5).tasks
    with ResultFile(tmp_path) as file, DaskCluster(f"{FUNCTIONS}:{function}", cluster) as executor:
        found = Runner(executor, file).play(tasks)
    here = in_this_process(function, tasks)
    assert [msgspec.json.encode(found[task.key]) for task in tasks] == [msgspec.json.encode(result) for result in here]
    assert any(result.state_hash for result in here)


def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.laboratory.sweep.dask_runner._CONNECT_S", 1)
    with pytest.raises(InputError, match="no Dask scheduler answers"), DaskCluster(f"{FUNCTIONS}:measured", "tcp://127.0.0.1:9"):
        pass


def test_an_address_that_is_none() -> None:
    with pytest.raises(InputError, match="no Dask scheduler answers"), DaskCluster(f"{FUNCTIONS}:measured", "nonsense://"):
        pass
