"""DLPack: an array in a device's memory lent to another library without a copy, as `torch.from_dlpack(array)` asks for it.

The protocol is that of https://dmlc.github.io/dlpack/latest/ (struct DLManagedTensor). numba-cuda's arrays know the older
`__cuda_array_interface__` alone; here it is told in the words of the newer one.
"""

import ctypes
import math
from typing import Any

import numpy as np

CPU, CUDA = 1, 2
"""Kinds of devices, by their numbers in DLPack."""
LEGACY_DEFAULT = 1
"""The stream on which kernels run, by its number in DLPack; -1 asks for no order between streams."""
_CODES = {"i": 0, "u": 1, "f": 2, "b": 6}
"""Numbers of DLPack for NumPy's kinds of types."""
_NAME = b"dltensor"
"""Of a capsule that nobody has taken."""


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32), ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64),
    )  # fmt: skip


class Managed(ctypes.Structure):
    """What a capsule points to: the tensor, and what its taker calls when it is done with it."""

    _fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


class Lending:
    """An array with `__cuda_array_interface__` that knows DLPack, too. What it lends lives as long as its takers need it."""

    @property
    def place(self) -> tuple[int, int]:
        """The device: its kind and number."""
        raise NotImplementedError

    def settle(self) -> None:
        """Wait until all that was asked of the device is done."""
        raise NotImplementedError

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.place

    def __dlpack__(
        self, *, stream: int | None = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:  # fmt: skip
        """A capsule. stream: the taker's, as a number. Raises BufferError where a copy is asked for, or another device."""
        if copy or dl_device not in (None, self.place):
            raise BufferError(
                f"it lies on the device {self.place} and is lent without a copy; copy what you take"
            )
        if stream not in (None, -1, LEGACY_DEFAULT):
            self.settle()
        told: Any = self
        told = told.__cuda_array_interface__
        kind, shape = np.dtype(told["typestr"]), told["shape"]
        dense = [kind.itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape))]
        steps = told.get("strides") or dense
        sizes = np.array([*shape, *(step // kind.itemsize for step in steps)], np.int64)
        tensor = _Tensor(
            told["data"][0], *self.place, len(shape), _CODES[kind.kind], 8 * kind.itemsize, 1,
            sizes.ctypes.data, sizes.ctypes.data + 8 * len(shape), 0,
        )  # fmt: skip
        managed = Managed(tensor, None, ctypes.cast(_give_back, ctypes.c_void_p))
        address = ctypes.addressof(managed)
        _lent[address] = managed, sizes, self
        return _new_capsule(address, _NAME, _drop)


_lent: dict[int, tuple[Any, ...]] = {}
"""What somebody has or may take, by address, and what must live as long."""


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _give_back(address: int) -> None:
    _lent.pop(address, None)


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _drop(capsule: int) -> None:
    """A capsule is no more; where nobody has taken it, what it points to is not needed either."""
    if _is_valid(capsule, _NAME):
        _lent.pop(_pointer(capsule, _NAME), None)


_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, type(_drop))(
    ("PyCapsule_New", ctypes.pythonapi)
)
_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_IsValid", ctypes.pythonapi)
)
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
