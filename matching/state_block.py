"""Many arrays as one argument of compiled functions: a block of memory with the address and shape of each.

A kernel that takes a tuple of twenty arrays is handed some hundred and forty words at each call that is not inlined, which costs more than
matching an order and most of the time of compiling it. A `StateBlock` is handed over as one pointer; `state.orders` inside a kernel
reads the array's address from the block. A block never changes while it lives (`replace` makes a new one), so the compiler is told that
these loads are invariant and keeps what it needs in registers. An index into such an array counts from its start only: kernels have no
use for negative ones, and turning them round costs two instructions in front of every load.

To Python a block is an object with the arrays as attributes, and so it is with the JIT off.
"""

import operator
from typing import Any, ClassVar, Self

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, lower_builtin, lower_getattr_generic, models, register_model, typeof_impl, unbox
from numba.np import arrayobj

WORD = ir.IntType(64)


class StateBlock:
    """Base of states. A subclass annotates its arrays (C-contiguous, one or two dimensions) and nested states, in a sequence that never matters
    outside; the constructor takes all of them by name.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(name for name in cls.__annotations__ if not name.startswith("_"))

    def __init__(self, **parts: Any) -> None:
        if set(parts) != set(self._fields):
            raise TypeError(f"{type(self).__name__} has the parts {', '.join(self._fields)}")
        words = []
        for name in self._fields:
            part = parts[name]
            setattr(self, name, part)
            words += _words_of(part)
        self._block = np.array(words, np.int64)
        self._address = self._block.ctypes.data

    def _replace(self, **parts: Any) -> Self:
        """A block with other arrays in place of some."""
        return type(self)(**({name: getattr(self, name) for name in self._fields} | parts))

    def parts(self) -> list[Any]:
        """All arrays and nested states."""
        return [getattr(self, name) for name in self._fields]

    @property
    def _numba_type_(self) -> types.Type:
        # By class, since the arrays of a field have one dtype for ever; found once.
        cls = type(self)
        known = cls.__dict__.get("_block_type")
        if known is None:
            known = BlockType(cls.__name__, tuple((name, _kind_of(getattr(self, name))) for name in self._fields))
            cls._block_type = known  # type: ignore[attr-defined]
        return known


def _kind_of(part: Any) -> types.Type:
    kind = numba.typeof(part)
    return kind if isinstance(kind, BlockType) else UnwrappedArray(kind)


def _words_of(part: Any) -> list[int]:
    if isinstance(part, StateBlock):
        return [part._address]  # noqa: SLF001 - of the same class
    if not part.flags.c_contiguous or part.ndim not in {1, 2}:
        raise ValueError("a state holds contiguous arrays of one or two dimensions")
    return [part.ctypes.data, *part.shape]


class UnwrappedArray(types.Array):
    """An array of a block inside kernels: indices are taken as unsigned."""

    def __init__(self, of: types.Array) -> None:
        super().__init__(of.dtype, of.ndim, of.layout, readonly=not of.mutable, name=f"unwrapped {of.name}", aligned=of.aligned)


register_model(UnwrappedArray)(models.ArrayModel)


def _unsigned(context, builder, kind, index):
    """Types and values of an index, as unsigned words."""
    kinds, indices = (kind.types, cgutils.unpack_tuple(builder, index)) if isinstance(kind, types.BaseTuple) else ((kind,), (index,))
    return (types.uintp,) * len(kinds), [context.cast(builder, one, of, types.intp) for of, one in zip(kinds, indices, strict=True)]


@lower_builtin(operator.getitem, UnwrappedArray, types.Integer)
@lower_builtin(operator.getitem, UnwrappedArray, types.BaseTuple)
def _get_item(context, builder, signature, arguments):
    kind, index_kind = signature.args
    array = arrayobj.make_array(kind)(context, builder, arguments[0])
    kinds, indices = _unsigned(context, builder, index_kind, arguments[1])
    return arrayobj._getitem_array_generic(context, builder, signature.return_type, kind, array, kinds, indices)  # noqa: SLF001


@lower_builtin(operator.setitem, UnwrappedArray, types.Integer, types.Any)
@lower_builtin(operator.setitem, UnwrappedArray, types.BaseTuple, types.Any)
def _set_item(context, builder, signature, arguments):
    kind, index_kind, value_kind = signature.args
    kinds, indices = _unsigned(context, builder, index_kind, arguments[1])
    if len(kinds) == 1:
        of, index = kinds[0], indices[0]
    else:
        of = types.UniTuple(types.uintp, len(kinds))
        index = context.make_tuple(builder, of, indices)
    return arrayobj.setitem_array(context, builder, signature.replace(args=(kind, of, value_kind)), (arguments[0], index, arguments[2]))


class BlockType(types.Type):
    """The numba type of a StateBlock: its name and the types of its parts."""

    def __init__(self, name: str, parts: tuple[tuple[str, types.Type], ...]) -> None:
        self.parts = parts
        super().__init__(name=f"{name}({', '.join(f'{part}: {kind}' for part, kind in parts)})")

    def place_of(self, name: str) -> int:
        """First word of a part in the block."""
        place = 0
        for part, kind in self.parts:
            if part == name:
                return place
            place += 1 + kind.ndim if isinstance(kind, UnwrappedArray) else 1
        raise AttributeError(name)


register_model(BlockType)(models.OpaqueModel)


@typeof_impl.register(StateBlock)
def _typeof_block(value, context):  # noqa: ARG001 - the signature is numba's
    return value._numba_type_


@unbox(BlockType)
def _unbox_block(kind, value, context):  # noqa: ARG001 - the signature is numba's
    address = context.pyapi.object_getattr_string(value, "_address")
    word = context.pyapi.long_as_longlong(address)
    context.pyapi.decref(address)
    return NativeValue(context.builder.inttoptr(word, cgutils.voidptr_t))


@infer_getattr
class _BlockAttribute(AttributeTemplate):
    key = BlockType

    def generic_resolve(self, kind, name):
        return dict(kind.parts).get(name)


@lower_getattr_generic(BlockType)
def _load_part(context, builder, kind, value, name):
    part = dict(kind.parts)[name]
    words = builder.bitcast(value, WORD.as_pointer())
    place = kind.place_of(name)

    def load(offset):
        loaded = builder.load(builder.gep(words, [ir.IntType(32)(place + offset)]))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded

    if isinstance(part, BlockType):
        return builder.inttoptr(load(0), cgutils.voidptr_t)
    array = arrayobj.make_array(part)(context, builder)
    item = context.get_abi_sizeof(context.get_data_type(part.dtype))
    shape = [load(1 + axis) for axis in range(part.ndim)]
    strides = [WORD(item)]
    for extent in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], extent))
    data_type = array._get_ptr_by_name("data").type.pointee  # noqa: SLF001 - numba's own way to a field's type
    arrayobj.populate_array(
        array, data=builder.inttoptr(load(0), data_type), shape=shape, strides=strides, itemsize=WORD(item), meminfo=None
    )
    return array._getvalue()  # noqa: SLF001
