"""Arrays that are lent by DLPack, shown with memory of the processor, which needs no device."""

import ctypes
import gc
import weakref
from typing import Any

import numpy as np
import pytest

from mesabench.engine import dlpack

torch = pytest.importorskip("torch")


class Stand(dlpack.Lending):
    """Stands for an array on the device: its memory is that of an array of NumPy."""

    def __init__(self, array: np.ndarray, place: tuple[int, int] = (dlpack.CPU, 0)) -> None:
        self.array, self.there, self.settled = array, place, 0

    @property
    def place(self) -> tuple[int, int]:
        return self.there

    def settle(self) -> None:
        self.settled += 1

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        array = self.array
        strides = None if array.flags.c_contiguous else array.strides
        return {
            "shape": array.shape, "strides": strides, "data": (array.ctypes.data, False), "typestr": array.dtype.str,
            "version": 3,
        }  # fmt: skip


ARRAYS = {
    "observations": np.arange(3 * 4 * 5 * 5, dtype=np.uint8).reshape(3, 4, 5, 5),
    "rewards": np.linspace(0, 1, 3),
    "terminated": np.array([True, False, True]),
    "events": np.arange(3, dtype=np.int64),
    "a column": np.arange(12.0).reshape(3, 4)[:, 2],
    "a number": np.array(7.0),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_pytorch_and_numpy_take_an_array_without_a_copy(name: str) -> None:
    array = ARRAYS[name].copy() if name != "a column" else ARRAYS[name]
    taken = torch.from_dlpack(Stand(array))
    assert taken.data_ptr() == array.ctypes.data
    assert np.array_equal(taken.numpy(), array)
    assert taken.numpy().dtype == array.dtype
    taken.zero_()
    assert not array.any()
    assert np.from_dlpack(Stand(array)).ctypes.data == array.ctypes.data


def test_what_is_lent_lives_as_long_as_its_taker_and_no_longer() -> None:
    lender = Stand(np.ones(4))
    there = weakref.ref(lender)
    taken = torch.from_dlpack(lender)
    untaken = lender.__dlpack__()
    assert len(dlpack._lent) == 2
    del untaken
    assert len(dlpack._lent) == 1
    del lender
    gc.collect()
    assert there() is not None
    assert taken.sum() == 4
    del taken
    gc.collect()
    assert there() is None
    assert not dlpack._lent


def test_a_capsule_names_the_device_and_another_stream_waits() -> None:
    lender = Stand(np.ones((2, 3), np.uint8), (dlpack.CUDA, 1))
    assert lender.__dlpack_device__() == (2, 1)
    for stream, waits in ((None, 0), (-1, 0), (1, 0), (2, 1), (94_000, 2)):
        capsule = lender.__dlpack__(stream=stream, max_version=(1, 0))
        assert lender.settled == waits
        address = next(reversed(dlpack._lent))
        tensor = dlpack.Managed.from_address(address).tensor
        assert (tensor.device_type, tensor.device_id, tensor.ndim) == (2, 1, 2)
        assert (tensor.code, tensor.bits, tensor.lanes) == (1, 8, 1)
        assert [*(ctypes.c_int64 * 4).from_address(tensor.shape)] == [2, 3, 3, 1]
        del capsule


def test_a_copy_or_another_device_is_refused() -> None:
    for asked in ({"copy": True}, {"dl_device": (dlpack.CPU, 0)}):
        with pytest.raises(BufferError, match="without a copy"):
            Stand(np.ones(2), (dlpack.CUDA, 0)).__dlpack__(**asked)
