// ---- Layout: space is inserted ------------------------------------------------------------------

const ACROSS = data.sideways ? 1 : 0; // the axis across the main path
const ALONG = 1 - ACROSS;
const HEADER = 28;
const TRACK = 9; // between two wires that run beside each other

/**
 * A map of one axis that makes room: around each mark's `mid` everything before `low` moves back by
 * `before`, everything after `high` moves on by `after`. Marks of one mid lie side by side and share
 * their room, others add up. Nothing comes closer to anything.
 */
function stretch(marks) {
  const rows = [];
  for (const one of marks) {
    const row = rows.find((row) => Math.abs(row[0].mid - one.mid) < 0.3);
    if (row) row.push(one);
    else rows.push([one]);
  }
  const part = (distance, whole) => (whole < 0.1 ? 1 : Math.min(1, distance / whole));
  const moved = (row, at) => {
    if (Math.abs(at - row[0].mid) < 0.05) return 0;
    return at < row[0].mid
      ? -Math.max(...row.map((m) => Math.max(0, m.before) * part(m.mid - at, m.mid - m.low)))
      : Math.max(...row.map((m) => Math.max(0, m.after) * part(at - m.mid, m.high - m.mid)));
  };
  const shift = (at) => rows.reduce((sum, row) => sum + moved(row, at), 0);
  const start = -shift(-Infinity);
  return { map: (at) => at + shift(at) + start, growth: start + shift(Infinity) };
}

/**
 * An item's extent along an axis, and how much more what is in it (`inner`) needs on either side of its
 * mid, which stays where edges meet it: its spine, or the middle of its row. `tail` is room behind it.
 */
function extent(item, axis, inner, tail) {
  const low = item.at[axis];
  const high = low + item.at[2 + axis];
  const sheets = item.copies ? 4 * Math.min(2, item.copies - 1) : 0;
  const mid = axis === ACROSS ? item.at[4] : (low + high + sheets) / 2;
  if (!inner) return { low, high, mid, size: high - low, before: 0, after: 0 };
  const size = inner.size[axis];
  const growth = size + (axis === ALONG ? tail : 0) - (high - low);
  const before = axis === ACROSS ? inner.spine - (mid - low) : growth / 2;
  return { low, high, mid, size, before, after: growth - before };
}

/** The layout of a block, as it is opened below `prefix`. All places are relative to its corner. */
function arrange(block, prefix, least = 0) {
  const inner = block.items.map((item) =>
    isOpen(item, prefix + item.id)
      ? arrange(data.blocks[item.block], beginning(item, prefix), item.least)
      : null,
  );
  const ranks = inner.map((one, i) => (one && opens(block.items[i]) ? ranked(block, i, one) : new Map()));
  const tails = ranks.map((rank) => Math.max(0, rank.size - 1) * TRACK);
  const extents = block.items.map((item, i) => [0, 1].map((axis) => extent(item, axis, inner[i], tails[i])));
  const opened = extents.filter((_, i) => inner[i]);
  const grown = [0, 1].map((axis) => stretch(opened.map((both) => both[axis])));
  const size = [block.w + grown[0].growth, block.h + grown[1].growth];
  const room = Math.max(0, least - size[0]) / 2; // a header's text may ask for more width
  size[0] += 2 * room;
  const map = [(x) => grown[0].map(x) + room, grown[1].map];
  const nodes = block.items.map((item, i) => {
    const at = extents[i].map((one, axis) => map[axis](one.mid) - (one.mid - one.low) - one.before);
    if (data.backwards) at[ALONG] += tails[i];
    return { item, path: prefix + item.id, at, extents: extents[i], inside: inner[i], rank: ranks[i], map };
  });
  for (const wire of block.wires) rise(nodes[wire.source], nodes[wire.target], wire.ports.into);
  const wires = block.wires.map((wire) => lead(wire, nodes, map));
  return { size, nodes, wires, spine: map[ACROSS](block.spine) };
}

/** Does a wire run across, right after it has left its source? */
const turns = ({ points }) => points.length > 3 && Math.abs(points[1][ALONG] - points[2][ALONG]) < 0.2;

/**
 * The ports of an opened item whose wires turn, from the farthest track to the nearest. Closed, they are
 * one trunk; opened, each has a track of its own, in an order that crosses least.
 */
function ranked(block, source, inner) {
  const ports = new Map();
  for (const wire of block.wires) {
    if (wire.source !== source || !turns(wire)) continue;
    const gate = gateOf(inner, wire.ports.out);
    const side = Math.sign(wire.points[2][ACROSS] - wire.points[1][ACROSS]);
    ports.set(wire.ports.out, [side, gate ? gate.at[ACROSS] * side : 0]);
  }
  const order = [...ports].sort(([, a], [, b]) => b[0] - a[0] || a[1] - b[1]);
  return new Map(order.map(([port], track) => [port, track]));
}

/** The port of an opened item: a place on its border, from where its wire goes on. */
const gateOf = (inside, port) => port && inside && inside.nodes.find(({ item }) => item.id === port);

/**
 * Where ways come into the side of an opened item: at the port, if that is there, else right below its
 * header, near where they go on.
 */
function entrance(node, at, port) {
  const gate = gateOf(node.inside, port);
  const aside = gate && Math.min(gate.at[ACROSS], node.inside.size[ACROSS] - gate.at[ACROSS]);
  if (gate && Math.abs(aside) < 0.5) return node.at[ALONG] + gate.at[ALONG];
  const { low, high, mid, size } = node.extents[ALONG];
  if (!node.inside) return node.at[ALONG] + at - low;
  if (node.item.inline) return node.at[ALONG] + (data.backwards ? size + at - high : at - low);
  const beside = Math.min(HEADER + 14, size / 2) + at - mid;
  return node.at[ALONG] + (data.backwards ? size - beside : beside);
}

/** A name tag beside an opened item stands where its way comes in. */
function rise(tag, node, port) {
  if (tag.item.form !== "tag" || !node.inside) return;
  const { low, high } = tag.extents[ALONG];
  const into = node.extents[ALONG];
  const middle = (low + high) / 2;
  if (middle <= into.low || middle >= into.high) return;
  tag.at[ALONG] = entrance(node, middle, port) - (high - low) / 2;
}

/** A wire's way through a stretched block: inner points move with the space, its ends with their items. */
function lead(wire, nodes, map) {
  const { source, target, ports, style, label, at, points: old } = wire;
  const points = old.map((point) => point.map((value, axis) => map[axis](value)));
  const last = points.length - 1;
  points[0] = end(old[0], nodes[source], ports.out);
  points[last] = end(old[last], nodes[target], ports.into);
  const track = (turns(wire) && nodes[source].rank.get(ports.out)) || 0;
  for (const i of track ? [1, 2] : []) points[i][ALONG] += track * TRACK * (data.backwards ? 1 : -1);
  const straight = (i, axis) => Math.abs(old[i][axis] - old[i + 1][axis]) < 0.2;
  for (const axis of [0, 1]) {
    if (last > 1 && straight(0, axis)) points[1][axis] = points[0][axis];
    if (last > 1 && straight(last - 1, axis)) points[last - 1][axis] = points[last][axis];
    if (last === 1 && straight(0, axis) && Math.abs(points[0][axis] - points[1][axis]) > 0.2) {
      const middle = (points[0][1 - axis] + points[1][1 - axis]) / 2;
      const bend = (value) => (axis ? [middle, value] : [value, middle]);
      points.splice(1, 0, bend(points[0][axis]), bend(points[1][axis]));
    }
  }
  const ends = { source: nodes[source], target: nodes[target] };
  return { ...ends, style, label, points, at: label && labelAt(old, at, label, map) };
}

/** Where a label is now: as far from its line as it was, and along the line with what is beside it. */
function labelAt(points, at, label, map) {
  const anchor = [at[0] + label.length * 2.4, at[1] - 3];
  const off = (point) => Math.abs(point[ACROSS] - anchor[ACROSS]);
  anchor[ACROSS] = points.reduce((a, b) => (off(b) < off(a) ? b : a))[ACROSS];
  return at.map((value, axis) => value + map[axis](anchor[axis]) - anchor[axis]);
}

/** Where a point on an item's border is now; that of an opened item is at its port. */
function end(point, node, port) {
  const eps = 0.2;
  const moved = [0, 0];
  const { low, high, size } = node.extents[ALONG];
  if (point[ALONG] >= high - eps || point[ALONG] <= low + eps) {
    const far = point[ALONG] >= high - eps ? size - high : -low;
    moved[ALONG] = node.at[ALONG] + point[ALONG] + far;
    const spine = node.extents[ACROSS].mid;
    const gate = gateOf(node.inside, port);
    moved[ACROSS] = gate
      ? node.at[ACROSS] + gate.at[ACROSS]
      : node.map[ACROSS](spine) + point[ACROSS] - spine;
    return moved;
  }
  const side = node.extents[ACROSS];
  const far = point[ACROSS] >= side.mid ? side.size - side.high : -side.low;
  moved[ACROSS] = node.at[ACROSS] + point[ACROSS] + far;
  moved[ALONG] = entrance(node, point[ALONG], port);
  return moved;
}
