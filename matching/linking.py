"""Code libraries of kernels that only kernels call: kept for the linker, never made into machine code of their own.

numba optimizes each function together with all below it and generates code for the lot, once more for every caller of a caller. What only other
kernels call never runs by itself, so all of that but the last round, that of the kernel which Python calls, is thrown away: half the time of a
first run. Such a function stays intermediate code here, linked with what it calls; the compiler takes it to pieces where it is used.
"""

from typing import Any, Final

import llvmlite.binding as llvm
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult

_KIND: Final = "to be linked"


class _CodegenOfLibrary:
    """The code generator as a library shows it: the environment of a function that does not run has no address to be set at."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, env_name: str, env: Any) -> None:
        """Nothing: kernels have no use for environments, which are Python's way into compiled code."""


class LinkedLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The library of a function that is only ever linked into others."""

    @property
    def codegen(self) -> Any:
        return _CodegenOfLibrary(self._codegen)

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002 - the signature is numba's
        """0, which says that there is no machine code."""
        return 0

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def serialize_using_object_code(self) -> tuple[str, str, bytes]:
        """As the cache keeps it."""
        self._ensure_finalized()
        return self.name, _KIND, self._get_module_for_linking().as_bitcode()

    @classmethod
    def restored(cls, codegen: Any, name: str, bitcode: bytes) -> "LinkedLibrary":
        """A library from the cache."""
        library = cls(codegen, name)
        library._final_module = library._shared_module = llvm.parse_bitcode(bitcode)
        library._finalize_final_module()
        return library


class LinkedCompiler(Compiler):  # type: ignore[misc]
    """numba's compiler, into a LinkedLibrary."""

    def compile_extra(self, func: Any) -> Any:
        self.state.library = LinkedLibrary(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)


def is_linked(payload: Any) -> bool:
    """Whether what the cache holds of a function (CompileResult._reduce) is a LinkedLibrary."""
    return bool(payload[0][1] == _KIND)


def rebuild(target_context: Any, payload: Any) -> CompileResult:
    """The compiled function of such a payload, for kernels to call."""
    (name, _, bitcode), fndesc, environment, signature, objectmode, lifted, type_annotation, reload_init, _ = payload
    library = LinkedLibrary.restored(target_context.codegen(), name, bitcode)
    return CompileResult(
        target_context=target_context, typing_context=target_context.typing_context, library=library, environment=environment,
        entry_point=target_context.get_executable(library, fndesc, environment), fndesc=fndesc, type_annotation=type_annotation, signature=signature,
        objectmode=objectmode, lifted=lifted, typing_error=None, call_helper=None, metadata=None, reload_init=reload_init, referenced_envs=(),
    )  # fmt: skip
