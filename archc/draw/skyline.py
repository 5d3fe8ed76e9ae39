"""How far things reach out, at every place of a line: raised and asked for in logarithmic time."""

from __future__ import annotations


class Skyline:
    """A height for each of `size` places, 0 at first."""

    def __init__(self, size: int) -> None:
        self._size = max(size, 1)
        self._best = [0.0] * (2 * self._size)  # the highest below a node of the tree
        self._whole = [0.0] * (2 * self._size)  # what all places below a node were raised to

    def raise_to(self, low: int, high: int, height: float) -> None:
        """Raise the places from `low` to before `high` that are lower than `height` to it."""
        low, high = max(low, 0) + self._size, min(high, self._size) + self._size
        if low >= high:
            return
        first, last = low, high - 1
        best, whole = self._best, self._whole
        while low < high:
            if low & 1:
                best[low] = max(best[low], height)
                whole[low] = max(whole[low], height)
                low += 1
            if high & 1:
                high -= 1
                best[high] = max(best[high], height)
                whole[high] = max(whole[high], height)
            low >>= 1
            high >>= 1
        for node in (first, last):
            node >>= 1
            while node:
                best[node] = max(best[2 * node], best[2 * node + 1], whole[node])
                node >>= 1

    def highest(self, low: int, high: int) -> float:
        """The highest of the places from `low` to before `high`; 0 where there is none."""
        low, high = max(low, 0) + self._size, min(high, self._size) + self._size
        if low >= high:
            return 0.0
        found = 0.0
        best, whole = self._best, self._whole
        for node in (low, high - 1):
            node >>= 1
            while node:
                found = max(found, whole[node])
                node >>= 1
        while low < high:
            if low & 1:
                found = max(found, best[low])
                low += 1
            if high & 1:
                high -= 1
                found = max(found, best[high])
            low >>= 1
            high >>= 1
        return found
