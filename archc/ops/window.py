"""Windows that slide over an image: their number along each axis."""

from collections.abc import Sequence
from typing import Any

from archc.ops.attributes import Wrong, shown
from archc.ops.rules import enough, spread
from archc.shapes import Size


def check_lengths(dims: int, **attributes: Any) -> None:
    """Refuse lists that are not as long as there are axes."""
    for name, value in attributes.items():
        if isinstance(value, tuple) and len(value) != dims:
            raise Wrong(f"must be one number or {dims}, not {shown(value)}", about=(name,))


def window_shape(
    space: Sequence[Size],
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool = False,
) -> tuple[Size, ...]:
    """The number of windows along each axis, at least one.

    With `ceil_mode` a window may hang over the end, but not begin in the padding behind it.
    """
    counts = []
    each = (spread(value, len(space)) for value in (kernel, stride, padding, dilation))
    for n, k, s, p, d in zip(space, *each, strict=True):
        reach = d * (k - 1) + 1
        room = 2 * p - reach
        if ceil_mode:
            room = min(room + s - 1, p - 1)
        message = f"the window spans {reach} and the padded input has only {n + 2 * p}"
        enough(n, -room, message, "kernel", "x")
        counts.append((n + room) // s + 1)
    return tuple(counts)
