"""Cells as bits, as chess programs keep them: 64 to a word, row behind row; the k-th word has the cells from 64 * k on.

Rules, compiled and without allocation, as those of `mesabench.world.ways`, which work with them.
"""

import numpy as np

from mesabench.world.rules import has, rule

BITWISE = 256
"""Cells of a grid up to which it is quicker to flood by bits: a step costs as much as there are words, however few it reaches."""

_1, _7, _56, _58 = (np.uint64(k) for k in (1, 7, 56, 58))
_BYTES = np.uint64(0x0101010101010101)
_HIGHEST = _BYTES << _7
_GATHER = np.uint64(0x0002040810204081)
_DE_BRUIJN = 0x03F79D71B4CB0A89
_PLACES = np.argsort([(_DE_BRUIJN << k) % (1 << 64) >> 58 for k in range(64)]).astype(np.uint64)


@rule
def eight(s, cell, layers):
    """Of the eight cells from this one on, row behind row, those with any of the layers, as bits."""
    width = np.uint64(s.grid.shape[1])
    first = np.uint64(cell)
    if s.grid.itemsize > 1:
        found = np.uint64(0)
        for k in range(8):
            y, x = (first + np.uint64(k)) // width, (first + np.uint64(k)) % width
            found |= np.uint64(has(s, y, x, layers)) << np.uint64(k)
        return found
    cells = np.uint64(0)
    for k in range(8):  # which compilers read at once
        y, x = (first + np.uint64(k)) // width, (first + np.uint64(k)) % width
        cells |= np.uint64(s.grid[y, x]) << np.uint64(8 * k)
    there = cells & _BYTES * np.uint64(layers)
    most = ~_HIGHEST
    return (((there & most) + most | there) & _HIGHEST) * _GATHER >> _56


@rule
def word(s, k, layers):
    """Of the k-th 64 cells, row behind row, those with any of the layers, as bits."""
    size = s.grid.size
    begin = min(64 * k, max(size - 64, 0))  # the last 64 of all, if there are no more
    found = np.uint64(0)
    for first in range(0, min(size, 64) - 7, 8):
        found |= eight(s, begin + first, layers) << np.uint64(first)
    if size < 64:
        found |= eight(s, size - 8, layers) << np.uint64(size - 8)
    return found >> np.uint64(64 * k - begin)


@rule
def inner(height, width, k):
    """Of the k-th 64 cells those that are not of the border, as bits."""
    first, last = width - 64 * k, (height - 1) * width - 64 * k
    west, east = -64 * k % width, (width - 1 - 64 * k) % width
    border = _below(first) | ~_below(last)
    border |= _COLUMNS[width] << np.uint64(west) if west < 64 else np.uint64(0)
    border |= _COLUMNS[width] << np.uint64(east) if east < 64 else np.uint64(0)
    return ~border


@rule
def _below(n):
    """The bits below the n-th of 64."""
    return ~np.uint64(0) >> np.uint64(64 - min(n, 64)) if n > 0 else np.uint64(0)


_COLUMNS = np.array([sum(1 << k for k in range(0, 64, max(width, 1))) for width in range(BITWISE)], np.uint64)
"""For every width, the bits of one column of cells."""


@rule
def place_of_lowest(bits):
    """The number of the lowest bit that is set (Leiserson, Prokop & Randall 1998)."""
    return _PLACES[(bits & (~bits + _1)) * np.uint64(_DE_BRUIJN) >> _58]
