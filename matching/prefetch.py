"""Asking for memory before it is needed. A hint to the processor: it changes no result, and does nothing without the JIT."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic
from numba.np import arrayobj

from matching.compile import kernel
from matching.ids import hash_of, home
from matching.state import FANOUT, FANOUT_BITS, ID_PAGE, ID_PAGE_BITS, LADDER_BITS, PRICE_BIAS, Pool

LINE_BYTES = 64


@intrinsic
def _prefetch_item(typing_context, array, index):  # noqa: ARG001 - the signature is numba's
    """Prefetch `array[index]` into all caches, each line that it may lie in. The index is not checked: a wrong one is only a wasted hint."""

    def generate(context, builder, signature, arguments):
        array_type = signature.args[0]
        value = arrayobj.make_array(array_type)(context, builder, arguments[0])
        n_bytes = array_type.dtype.bitwidth // 8 if hasattr(array_type.dtype, "bitwidth") else array_type.dtype.size
        base = builder.ptrtoint(value.data, ir.IntType(64))
        first = builder.add(base, builder.mul(arguments[1], context.get_constant(types.intp, n_bytes)))
        word = ir.IntType(32)
        function_type = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), word, word, word])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0i8")
        # An item of up to 32 bytes is aligned to its size.
        for offset in range(0, n_bytes, LINE_BYTES) if n_bytes <= LINE_BYTES // 2 else (*range(0, n_bytes - 1, LINE_BYTES), n_bytes - 1):
            pointer = builder.inttoptr(builder.add(first, ir.IntType(64)(offset)), ir.IntType(8).as_pointer())
            builder.call(function, [pointer, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _nothing(array, index):
    """Without the JIT."""


prefetch_item = _nothing if config.DISABLE_JIT else _prefetch_item


@kernel(inline=True)
def guess_slot(state, order_id):
    """Slot of an order in nearly all cases, some slot otherwise: one look at the index, without a branch that depends on the id. There are orders."""
    shift = state.core[0].hash_shift
    if shift != 0:
        return max(np.int64(state.id_table[home(hash_of(order_id), shift)].slot), np.int64(0))
    index = (order_id >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    if index < 0 or index >= state.id_directory.shape[0]:
        return np.int64(0)
    page = np.int64(state.id_directory[index])
    if page < 0:
        return np.int64(0)
    return max(np.int64(state.id_slots[page * ID_PAGE + (order_id & (ID_PAGE - 1))]), np.int64(0))


@kernel(inline=True)
def prefetch_entry(state, entry):
    """Ask for the place of an entry's id in the index, and for the ladders of its book."""
    prefetch_item(state.sides, np.int64(entry.book) << LADDER_BITS)
    prefetch_id(state, np.int64(entry.order_id))


@kernel(inline=True)
def prefetch_id(state, order_id):
    """Ask for the place of an id in the index."""
    shift = state.core[0].hash_shift
    if shift != 0:
        prefetch_item(state.id_table, home(hash_of(order_id), shift))
        return
    index = (order_id >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    if index >= 0 and index < state.id_directory.shape[0]:
        prefetch_item(state.id_slots, np.int64(state.id_directory[index]) * ID_PAGE + (order_id & (ID_PAGE - 1)))


@kernel(inline=True)
def prefetch_order(state, entry):
    """Ask for the order of an entry, whose place in the index is there by now."""
    prefetch_item(state.orders, guess_slot(state, np.int64(entry.order_id)))


@kernel(inline=True)
def prefetch_neighbours(state, entry):
    """Ask for the level of an order, which is there by now, and for its neighbours in the queue."""
    order = state.orders[guess_slot(state, np.int64(entry.order_id))]
    prefetch_item(state.levels, np.int64(order.level))
    prefetch_item(state.orders, np.int64(order.prev))
    prefetch_item(state.orders, np.int64(order.next))


@kernel(inline=True)
def prefetch_level(state, entry):
    """Ask for the level where an order with the price of an entry would rest, if it lies in the hot directory. There are orders."""
    if np.int64(np.uint32(entry.book)) >= state.books.shape[0]:
        return
    side = state.sides[(np.int64(entry.book) << LADDER_BITS) + (np.int64(entry.side) & 1)]
    place = np.int64(entry.price_ticks) + PRICE_BIAS
    page = np.int64(state.children[np.int64(side.hot_node) * FANOUT + ((place >> FANOUT_BITS) & (FANOUT - 1))])
    prefetch_item(state.levels, max(page, np.int64(0)) * FANOUT + (place & (FANOUT - 1)))
