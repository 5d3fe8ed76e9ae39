"""Channels: between two rows, ways change columns, each in a track of its own.

From the first row to the second a channel has the stretches that leave items, the labels, and the
stretches that come into items.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from archc.draw.layout.arrivals import Arrivals
from archc.draw.layout.columns import Columns
from archc.draw.layout.measure import SMALL
from archc.draw.layout.metrics import text_width
from archc.draw.layout.skyline import Skyline
from archc.draw.layout.units import UPRIGHT

TRACK, HEAD, LEAD, LABEL = 9.0, 13.0, 8.0, 15.0
"""Lengths within a channel: a track, the arrow's last stretch, the first stretch, a label."""
BORDER = 1e6
"""As far out as the border of a frame may be."""
APART = 5.0
"""Between two stretches in one track."""

Key = tuple[int, float]
"""Stretches of one key are one line: an item, and where the way leaves it or comes in."""


@dataclass(slots=True)
class Span:
    """A stretch across; `at` is its place at the item, `bent`: it leads from or to the item's own
    column, where another way may stand at the item."""

    at: float
    low: float
    high: float
    bent: bool = False
    track: int = 0

    def order_out(self) -> tuple[bool, bool, float]:
        """The order of tracks in which stretches cross least, and none runs along another way's end."""
        if self.high - self.at > self.at - self.low:
            return self.bent, False, -self.at
        return self.bent, True, self.at

    def order_in(self) -> tuple[bool, bool, float]:
        if self.at - self.low > self.high - self.at:
            return not self.bent, False, -self.low
        return not self.bent, True, self.high


@dataclass(slots=True)
class Channel:
    """`start` is its place along; `out` and `into` are the stretches that leave and come in."""

    start: float = 0.0
    label: float = 0.0
    out: dict[Key, Span] = field(default_factory=dict)
    into: dict[Key, Span] = field(default_factory=dict)
    tracks: int = 0

    def out_at(self, key: Key) -> float:
        return self.start + LEAD + self.out[key].track * TRACK

    @property
    def label_at(self) -> float:
        """Where the room of labels begins."""
        return self.start + LEAD + self.tracks * TRACK

    def into_at(self, key: Key) -> float:
        return self.label_at + self.label + self.into[key].track * TRACK


@dataclass(slots=True)
class Rows:
    """The middle of each row along, the channel after each, and the end of all."""

    middles: list[float]
    channels: list[Channel]
    end: float


def rows(columns: Columns, found: Arrivals) -> Rows:
    plan, units = columns.plan, columns.units
    before, after = [0.0] * plan.rows, [0.0] * plan.rows
    for i in plan.placed:
        row, unit = plan.layer[i], units[i]
        before[row] = max(before[row], unit.before + unit.length / 2)
        after[row] = max(after[row], unit.after + unit.length / 2)
    channels = _channels(columns, found)
    middles: list[float] = []
    start = 0.0
    for row, channel in enumerate(channels):
        middles.append(start + before[row])
        end = channel.start = start + before[row] + after[row]
        channel.tracks = max((span.track + 1 for span in channel.out.values()), default=0)
        into = max((span.track + 1 for span in channel.into.values()), default=0)
        start = channel.label_at + channel.label + into * TRACK + HEAD
        if row == 0 and not end:
            start -= HEAD - LEAD  # after the port of a frame a short stretch is enough
    return Rows(middles, channels, channels[-1].start if channels else 0.0)


def out_key(columns: Columns, found: Arrivals, e: int) -> Key:
    return columns.plan.edges[e].source, found.outs[e]


def into_key(columns: Columns, found: Arrivals, e: int) -> Key:
    return columns.plan.edges[e].target, found.ins[e]


def _channels(columns: Columns, found: Arrivals) -> list[Channel]:
    plan, x = columns.plan, columns.x
    channels = [Channel() for _ in range(plan.rows)]

    def stretch(spans: dict[Key, Span], key: Key, column: float) -> None:
        at = x[key[0]] + key[1]
        if abs(at - column) < 0.05:
            return
        span = spans.get(key)
        if span is None:
            span = spans[key] = Span(at, at, at)
        span.low, span.high = min(span.low, column), max(span.high, column)
        span.bent = span.bent or abs(column - x[key[0]]) < 0.05

    for i in plan.placed:
        if i in plan.borders:
            stretch(channels[plan.layer[i]].out, (i, 0.0), plan.borders[i] * BORDER)
        for e in plan.leaving[i]:
            a, b, edge = plan.edges[e]
            column = columns.column[e]
            first = channels[plan.layer[a]]
            stretch(first.out, out_key(columns, found, e), column)
            if e not in found.sides:
                stretch(channels[plan.layer[b] - 1].into, into_key(columns, found, e), column)
            if edge.label:
                upright = columns.direction in UPRIGHT
                room = LABEL if upright else text_width(edge.label, SMALL) + 6
                first.label = max(first.label, room)
    for channel in channels:
        _tracks(sorted(channel.out.values(), key=Span.order_out))
        _tracks(sorted(channel.into.values(), key=Span.order_in))
    return channels


def _tracks(spans: list[Span]) -> None:
    """Give each a track after those before it that it would touch."""
    if len(spans) < 2:
        return
    ends = sorted({end for span in spans for end in (span.low, span.high + APART)})
    number = {end: n for n, end in enumerate(ends)}
    depth = Skyline([0.0] * len(ends))
    for span in spans:
        low, high = number[span.low], number[span.high + APART]
        span.track = round(depth.highest(low, high))
        depth.raise_to(low, high, span.track + 1)
