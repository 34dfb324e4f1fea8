"""Room for a few hundred doubles on the stack of a kernel, which may not allocate."""

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic
from numba.np import arrayobj

DOUBLES: Final = 1024  # 8 KB


@intrinsic
def _doubles_on_stack(typing_context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001, RUF100 - the signature is numba's
    """An array of DOUBLES doubles that lives until the kernel returns. What is in it is not defined."""
    kind = types.Array(types.float64, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - the signature is numba's
        count = ir.IntType(64)(DOUBLES)
        array = arrayobj.make_array(kind)(context, builder)
        room = cgutils.alloca_once(builder, ir.DoubleType(), size=count)
        width = ir.IntType(64)(8)
        arrayobj.populate_array(array, data=room, shape=[count], strides=[width], itemsize=width, meminfo=None)
        return array._getvalue()  # noqa: SLF001 - numba's own name

    return kind(), generate


def _doubles_without_jit() -> Any:
    return np.zeros(DOUBLES)


doubles: Final = _doubles_without_jit if config.DISABLE_JIT else _doubles_on_stack
