"""One multiplication that mixes two words of 64 bits, for hashes that callers of the core make in their own compiled loops."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic


@intrinsic
def _compiled_fold(typing_context, a, b):  # noqa: ARG001 - the signature is numba's
    def generate(context, builder, signature, arguments):  # noqa: ARG001
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        low = builder.trunc(product, ir.IntType(64))
        high = builder.trunc(builder.lshr(product, wide(64)), ir.IntType(64))
        return builder.xor(low, high)

    return types.uint64(types.uint64, types.uint64), generate


def fold_without_jit(a, b):
    """The same without the JIT."""
    product = int(a) * int(b)
    return np.uint64((product ^ product >> 64) & 2**64 - 1)


# Both halves of the product of two uint64, xored.
fold = fold_without_jit if config.DISABLE_JIT else _compiled_fold
