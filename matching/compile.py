"""The one decorator of all compiled functions, its twin for functions that C calls, and their cache on disk.

numba's own cache notices neither an edit in another file (callees are compiled into their callers) nor the bounds-checking switch. The
directory used here is named by a digest of every source file that can hold kernels, the versions of the compiler and every NUMBA_*
variable, so that what is loaded is what would be compiled. It lies in the user's cache directory, or in PARKEX_CACHE_DIR; if it cannot
be written the kernels are compiled in memory. It is set on our functions only: numba's global configuration is not touched.

Kernels are compiled without the runtime's reference counting (`_nrt=False`): they allocate nothing, and counting costs three quarters
of the time of a loop over many arrays.
"""

import functools
import hashlib
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar, overload

import llvmlite
import numba
import numpy as np
from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache
from numba.core.ccallback import CFunc
from numba.core.sigutils import normalize_signature

from matching import linking

F = TypeVar("F", bound=Callable[..., Any])

ENVIRONMENT_PREFIX: Final = "NUMBA_"
_IMPORT: Final = re.compile(r"^[ \t]*(?:import[ \t]+([\w., \t]+)|from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*))", re.MULTILINE)
_NAME: Final = re.compile(r"[\w.]+")
_COMPILES: Final = re.compile(r"@kernel|compile_for_c\(")
PACKAGES_WITH_KERNELS: Final = ("matching", "exchange", "clients")  # each may import the ones before it, never the ones behind it
KEPT_DIRECTORIES: Final = 8
KEPT_AGE_S: Final = 24 * 3600


def source_digest(roots: Iterable[Path], environment: Mapping[str, str]) -> str:
    """Hex digest of all *.py below `roots` (or of a root that is a file), the compiler's versions and the NUMBA_* variables of `environment`.

    A root that does not exist counts as empty. Paths enter relative to their root's parent, so an installed copy shares its cache
    with no other tree of different content.
    """
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)

    add(*(text.encode() for text in (numba.__version__, llvmlite.__version__, np.__version__, platform.python_version())))
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX):
            add(name.encode(), environment[name].encode())
    for root in roots:
        for path in [root] if root.is_file() else sorted(root.rglob("*.py")):
            add(path.relative_to(root.parent).as_posix().encode(), path.read_bytes())
    return digest.hexdigest()


def kernel_sources(parent: Path, packages: Iterable[str]) -> list[Path]:
    """Every file of `packages` (folders of `parent`) that can be compiled into a kernel: those that compile, and all they import.

    Constants, enums and helpers reach a kernel only through an import, so no other edit can change what is compiled.
    """
    names = tuple(packages)
    found: dict[Path, None] = {}
    files = [path for name in names for path in sorted((parent / name).rglob("*.py")) if _COMPILES.search(path.read_text(encoding="utf-8"))]
    while files:
        path = files.pop()
        if path in found:
            continue
        found[path] = None
        for module in _imported_modules(path):
            if module.partition(".")[0] in names:
                steps = parent.joinpath(*module.split("."))
                files.extend(candidate for candidate in (steps.with_suffix(".py"), steps / "__init__.py") if candidate.is_file())
    return sorted(found)


def _imported_modules(path: Path) -> Iterator[str]:
    """Modules that a file imports, absolutely; of `from a.b import c` both a.b and a.b.c, since c may be a module."""
    # Found by pattern: parsing the trees of thirty files costs every start half a second, and a text that only looks like an import adds a file.
    for plain, module, names in _IMPORT.findall(path.read_text(encoding="utf-8")):
        if plain:
            yield from _NAME.findall(plain)
        else:
            yield module
            yield from (f"{module}.{name}" for name in _NAME.findall(names))


def cache_root(environment: Mapping[str, str]) -> Path:
    """Directory that holds one subdirectory a digest: PARKEX_CACHE_DIR, or `parkex` in the user's cache directory."""
    if chosen := environment.get("PARKEX_CACHE_DIR"):
        return Path(chosen)
    if base := environment.get("XDG_CACHE_HOME") or environment.get("LOCALAPPDATA"):
        return Path(base) / "parkex"
    return Path("~/.cache/parkex").expanduser()


def prune(root: Path, keep: Path, now_s: float) -> list[Path]:
    """Remove directories of other digests under `root`, oldest first, and return them.

    The newest KEPT_DIRECTORIES stay, and so does what was used within a day: another process may be at work with it.
    """
    others = sorted(((path.stat().st_mtime, path) for path in root.iterdir() if path != keep and path.is_dir()), reverse=True)
    removed = [path for used_s, path in others[KEPT_DIRECTORIES - 1 :] if now_s - used_s > KEPT_AGE_S]
    for path in removed:
        shutil.rmtree(path, ignore_errors=True)
    return removed


def open_cache_directory(root: Path, digest: str) -> Path | None:
    """The directory of `digest`, made and marked as used now; None when it cannot be written."""
    directory = root / f"kernels-{digest[:32]}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        marker = directory / f".used-{os.getpid()}"
        marker.write_bytes(b"")
        marker.unlink()  # moves the directory's own time, which pruning reads
        prune(root, directory, time.time())
    except OSError:
        return None
    return directory


def packages_behind(module: str) -> tuple[str, ...]:
    """The packages whose sources can be compiled into a function of `module`: its own and those with kernels that it may import."""
    own = module.partition(".")[0]
    return PACKAGES_WITH_KERNELS[: PACKAGES_WITH_KERNELS.index(own) + 1] if own in PACKAGES_WITH_KERNELS else (*PACKAGES_WITH_KERNELS, own)


def cache_directory(module: str) -> Path | None:
    """Where the functions of `module` are cached; None when nothing can be written, or nothing is compiled."""
    return None if config.DISABLE_JIT else _directory_of(packages_behind(module))


@functools.cache
def _directory_of(packages: tuple[str, ...]) -> Path | None:
    sources = kernel_sources(Path(__file__).resolve().parent.parent, packages)
    return open_cache_directory(cache_root(os.environ), source_digest(sources, os.environ))


class _Locator:
    """What numba's cache asks for: where, how fresh (the directory's name says it), and which of several functions of one name."""

    def __init__(self, directory: Path, py_func: Callable[..., Any]) -> None:
        self._directory = directory
        self._py_file = py_func.__code__.co_filename  # read by numba where it warns
        self._disambiguator = f"{py_func.__module__}-{py_func.__code__.co_firstlineno}"

    def ensure_cache_path(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return str(self._directory)

    def get_source_stamp(self) -> str:
        return self._directory.name

    def get_disambiguator(self) -> str:
        return self._disambiguator

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "_Locator | None":  # noqa: ARG003 - the signature is numba's
        directory = cache_directory(py_func.__module__)
        return cls(directory, py_func) if directory is not None else None


class _KernelCacheImpl(CompileResultCacheImpl):
    _locator_classes: ClassVar[list[type]] = [_Locator]

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        return linking.rebuild(target_context, payload) if linking.is_linked(payload) else super().rebuild(target_context, payload)


class _KernelCache(FunctionCache):
    """A cache that never makes a call fail: unreadable entries are compiled anew, unwritable ones are not kept."""

    _impl_class = _KernelCacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001 - a damaged pickle raises nearly anything
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError:
            self.disable()


@overload
def kernel(function: F, /) -> F: ...
@overload
def kernel(*, inline: bool = False, internal: bool = False, merged: bool = False, nogil: bool = False) -> Callable[[F], F]: ...
def kernel(function: Any = None, /, *, inline: bool = False, internal: bool = False, merged: bool = False, nogil: bool = False) -> Any:
    """Compile a function that allocates nothing.

    `internal=True` is for functions that only kernels call: they get no machine code of their own (linking.py), the half of compiling.
    `inline=True` makes such a function part of every kernel that calls it. `merged=True` does so before anything is compiled: for a function on
    top of many others with one caller, since every function that is compiled by itself takes all below it through the optimizer once more.
    `nogil=True` lets other threads run while Python waits for it: for arrays that nobody else has. With NUMBA_DISABLE_JIT=1 the function is
    returned as it is.
    """
    if function is None:
        return functools.partial(_compile, inline=inline, internal=internal or inline or merged, merged=merged, nogil=nogil)
    return _compile(function, inline=False, internal=False, merged=False, nogil=False)


def _compile(function: Callable[..., Any], *, inline: bool, internal: bool, merged: bool, nogil: bool) -> Any:
    options: dict[str, Any] = {"forceinline": inline, "nogil": nogil, "no_cpython_wrapper": internal, "no_cfunc_wrapper": True}
    if internal:
        options["pipeline_class"] = linking.LinkedCompiler
    dispatcher = numba.njit(_nrt=False, inline="always" if merged else "never", **options)(function)
    if not config.DISABLE_JIT:
        dispatcher._cache = _KernelCache(function) if cache_directory(function.__module__) is not None else NullCache()  # noqa: SLF001
    return dispatcher


def compile_for_c(function: Callable[..., Any], signature: Any) -> Any:
    """A function of kernels compiled as one that C can call (numba's CFunc: `address` is valid while the object lives), from the same cache.

    `signature` is numba's, with pointers as `types.voidptr`. RuntimeError with NUMBA_DISABLE_JIT=1: there is nothing to point at.
    """
    if config.DISABLE_JIT:
        raise RuntimeError("a function for C needs the compiler, which NUMBA_DISABLE_JIT turns off")
    compiled: Any = CFunc(function, normalize_signature(signature), locals={}, options={"_nrt": False, "nopython": True})
    if cache_directory(function.__module__) is not None:
        compiled._cache = _KernelCache(function)  # noqa: SLF001
    compiled.compile()
    return compiled
