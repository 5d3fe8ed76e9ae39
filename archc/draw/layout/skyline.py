"""How far things reach out, at every place of a line: raised and asked for in logarithmic time."""

from __future__ import annotations


class Skyline:
    """A height of at least 0 for each of some places."""

    def __init__(self, heights: list[float]) -> None:
        self._size = size = len(heights)
        self._best = [0.0] * size + heights  # the highest below a node of the tree
        self._whole = [0.0] * (2 * size)  # what all places below a node were raised to
        for node in reversed(range(1, size)):
            self._best[node] = max(self._best[2 * node], self._best[2 * node + 1])

    def raise_to(self, low: int, high: int, height: float) -> None:
        """Raise the places from `low` to before `high` that are lower than `height` to it."""
        low, high = max(low, 0) + self._size, min(high, self._size) + self._size
        if low >= high or not height:
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
        for node in {first >> 1, last >> 1}:
            while node:
                if best[node] < height:
                    best[node] = height
                node >>= 1

    def highest(self, low: int, high: int) -> float:
        """The highest of the places from `low` to before `high`; 0 where there is none."""
        low, high = max(low, 0) + self._size, min(high, self._size) + self._size
        if low >= high:
            return 0.0
        found = 0.0
        best, whole = self._best, self._whole
        for node in {low >> 1, (high - 1) >> 1}:
            while node:
                if whole[node] > found:
                    found = whole[node]
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
