"""The cache of compiled functions: what names its directory, what happens when it is not there, and that kernels count no references."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numba
import numpy as np
import pytest
from numba import types
from numba.core import config

from matching import auction, batch, c_functions, commands
from matching import compile as compiling
from matching.compile import (
    KEPT_AGE_S,
    KEPT_DIRECTORIES,
    cache_directory,
    cache_root,
    compile_for_c,
    kernel,
    kernel_sources,
    open_cache_directory,
    packages_behind,
    prune,
    source_digest,
)
from matching.linking import LinkedLibrary
from matching.records import EVENT, EntryKind
from matching.reference import ReferenceEntry
from matching.state import make_records
from tests.matching.books import Pair

ROOT = Path(__file__).resolve().parents[2]
DEPTH = types.int64(types.voidptr, types.int32, types.int32, types.voidptr, types.int64)


@pytest.fixture
def sources(tmp_path):
    """A copy of the package, with a second package beside it."""
    shutil.copytree(ROOT / "matching", tmp_path / "matching", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "exchange").mkdir()
    (tmp_path / "exchange" / "loop.py").write_text("A = 1\n")
    return [tmp_path / "matching", tmp_path / "exchange"]


def test_digest_notices_an_edit_in_any_file(sources):
    digests = {source_digest(sources, {})}
    for path in (sources[0] / "bits.py", sources[0] / "batch.py", sources[1] / "loop.py"):
        path.write_text(path.read_text() + "# edited\n")
        digests.add(source_digest(sources, {}))
    (sources[1] / "new.py").write_text("")
    digests.add(source_digest(sources, {}))
    (sources[1] / "new.py").rename(sources[1] / "renamed.py")
    digests.add(source_digest(sources, {}))
    assert len(digests) == 6


def test_digest_notices_only_what_matters(sources):
    before = source_digest(sources, {})
    (sources[0] / "notes.txt").write_text("no source")
    assert source_digest(sources, {"HOME": "elsewhere"}) == before
    assert source_digest([*sources, sources[0].parent / "missing"], {}) == before


@pytest.mark.parametrize("setting", [{"NUMBA_BOUNDSCHECK": "1"}, {"NUMBA_OPT": "1"}, {"NUMBA_BOUNDSCHECK": "0"}])
def test_digest_notices_compiler_settings(sources, setting):
    assert source_digest(sources, setting) != source_digest(sources, {})


def test_an_edit_in_another_file_is_compiled_anew(sources, tmp_path):
    """End to end: a caller in one file, its callee in another; with a warm cache the edit shows."""
    (sources[1] / "__init__.py").write_text("")
    callee = sources[1] / "callee.py"
    (sources[1] / "caller.py").write_text(
        "from matching.compile import kernel\nfrom exchange.callee import value\n\n\n@kernel\ndef call(x):\n    return value(x)\n"
    )
    environment = os.environ | {"PARKEX_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    code = "from exchange.caller import call; print(call(1), call.stats.cache_hits.total())"

    def run():
        done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    callee.write_text("from matching.compile import kernel\n\n\n@kernel\ndef value(x):\n    return x + 1\n")
    assert run() == ["2", "0"]
    assert run() == ["2", "1"]
    callee.write_text(callee.read_text().replace("x + 1", "x + 5"))
    assert run() == ["6", "0"]


def test_damaged_and_unwritable_caches_do_not_matter(sources, tmp_path):
    (tmp_path / "f.py").write_text("from matching.compile import kernel\n\n\n@kernel\ndef f(x):\n    return x + 1\n")
    code = "from f import f; print(f(1))"

    def run(cache):
        environment = os.environ | {"PARKEX_CACHE_DIR": str(cache), "PYTHONPATH": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert run(tmp_path / "cache") == "2"
    entries = list((tmp_path / "cache").rglob("*.nbc"))
    assert entries
    for path in entries:
        path.write_bytes(b"damaged")
    assert run(tmp_path / "cache") == "2"
    (tmp_path / "file").write_text("a file is no directory")
    assert run(tmp_path / "file") == "2"


def test_unwritable_directory_is_none(tmp_path):
    (tmp_path / "file").write_text("")
    assert open_cache_directory(tmp_path / "file", "d" * 64) is None


def test_root_of_the_cache():
    assert cache_root({"PARKEX_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x"}) == Path("/c")
    assert cache_root({"XDG_CACHE_HOME": "/x"}) == Path("/x/parkex")
    assert cache_root({}) == Path("~/.cache/parkex").expanduser()


def test_pruning_keeps_the_newest_and_the_recent(tmp_path):
    now = time.time()
    paths = []
    for age in range(KEPT_DIRECTORIES + 6):
        path = tmp_path / f"kernels-{age}"
        path.mkdir()
        used = now - age * KEPT_AGE_S / (KEPT_DIRECTORIES + 2.5)
        os.utime(path, (used, used))
        paths.append(path)
    removed = prune(tmp_path, paths[-1], now)
    assert removed == paths[KEPT_DIRECTORIES + 3 : -1]
    assert not any(path.exists() for path in removed)
    assert paths[-1].exists()


def test_matching_does_not_depend_on_what_imports_it():
    assert packages_behind("matching.batch") == ("matching",)
    assert packages_behind("exchange.order_path.path") == ("matching", "exchange")
    assert packages_behind("clients.laboratory.draws") == ("matching", "exchange", "clients")
    assert packages_behind("bench.workloads.stream") == ("matching", "exchange", "clients", "bench")


def test_the_global_cache_of_numba_is_left_alone():
    assert cache_directory("matching.batch") != Path(config.CACHE_DIR or ".")


@pytest.mark.parametrize("function", [batch.run_batch, commands.mass_cancel, auction.find_auction], ids=lambda function: function.__name__)
def test_kernels_count_no_references(function):
    """Compiled anew under the same options: what comes from the cache cannot be read."""
    pair = Pair()
    pair.apply(ReferenceEntry(EntryKind.PLACE, 1, quantity_lots=1))
    pair.apply(ReferenceEntry(EntryKind.MASS_CANCEL, owner=0))
    pair.core.indicative(0, 1)
    commands.mass_cancel(pair.core.state, make_records(EVENT, 1), 0, 0, 0, 0, 0, 0, 1)
    fresh = numba.jit(**function.targetoptions)(function.py_func)
    fresh.compile(function.signatures[0])
    (text,) = fresh.inspect_llvm().values()
    assert "NRT_incref" not in text
    assert "NRT_incref" in counting_llvm()


def test_inner_kernels_are_linked_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(compiling, "cache_directory", lambda _module: tmp_path)

    def doubled(number):
        return 2 * number

    def answers(inner):
        @kernel
        def outer(number):
            return inner(number) + 1

        return outer(20)

    compiled, loaded = kernel(internal=True)(doubled), kernel(internal=True)(doubled)
    assert answers(compiled) == 41
    assert answers(loaded) == 41
    assert sum(compiled.stats.cache_misses.values()) == sum(loaded.stats.cache_hits.values()) == 1
    for function in (compiled, loaded):
        (result,) = function.overloads.values()
        assert isinstance(result.library, LinkedLibrary)
        assert result.library.get_pointer_to_function(result.fndesc.llvm_func_name) == 0


def counting_llvm():
    @numba.njit
    def tail(array):
        return array[1:]

    tail(np.zeros(3))
    (text,) = tail.inspect_llvm().values()
    return text


def test_sources_are_the_kernels_and_all_they_import(tmp_path: Path) -> None:
    contents = {
        "one/__init__.py": "",
        "one/kernels.py": "from matching.compile import kernel\nfrom one import names\nimport one.sub.deep\n@kernel\ndef f(): pass\n",
        "one/names.py": "from one.codes import CODE\n",
        "one/codes.py": "CODE = 1\n",
        "one/sub/__init__.py": "",
        "one/sub/deep.py": "import other.thing\n",
        "one/for_c.py": "from matching.compile import compile_for_c\nfrom one import more\ncompile_for_c(None, None)\n",
        "one/more.py": "",
        "one/page.py": "from one.kernels import f\n",
        "other/thing.py": "",
    }
    for name, text in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {path.relative_to(tmp_path).as_posix() for path in kernel_sources(tmp_path, ["one"])}
    assert found == {"one/__init__.py", "one/kernels.py", "one/names.py", "one/codes.py", "one/sub/deep.py", "one/for_c.py", "one/more.py"}


def test_functions_for_c_come_from_the_cache():
    c_functions.compiled_functions()
    again = compile_for_c(c_functions._depth, DEPTH)
    assert again.address != 0
    assert again.cache_hits == 1


def test_functions_for_c_need_the_compiler(monkeypatch):
    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    with pytest.raises(RuntimeError, match="NUMBA_DISABLE_JIT"):
        compile_for_c(c_functions._depth, DEPTH)
