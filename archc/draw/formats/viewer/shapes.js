// ---- Drawing ------------------------------------------------------------------------------------

const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
const px = (value) => Math.round(value * 10) / 10;

const rect = (x, y, w, h, radius, ink, more = {}) =>
  mark("rect", { x: px(x), y: px(y), width: px(w), height: px(h), rx: radius, class: ink, ...more });

/** A line of text, or of several sizes of text: [text, class] each. */
function text(x, y, anchor, ...parts) {
  const written = parts.filter(([content]) => content);
  const spans = written.map(([content, ink], i) => mark("tspan", { class: ink, dx: i ? 8 : null }, content));
  return spans.length ? mark("text", { x: px(x), y: px(y), "text-anchor": anchor }, ...spans) : null;
}

function* sheets(node, ink, radius) {
  for (let i = Math.min(2, (node.item.copies || 1) - 1); i > 0; i--) {
    yield rect(node.x + 4 * i, node.y + 4 * i, node.w, node.h, radius, ink);
  }
}

const badgeText = (node) => `×${node.item.copies}${node.inside && node.item.parallel ? " parallel" : ""}`;
const badgeWidth = (node) => 14 + badgeText(node).length * 5.8;
function badge(node) {
  if (!node.item.copies) return null;
  const w = badgeWidth(node);
  const x = node.x + node.w - w / 2 + 2;
  return mark(
    "g",
    { class: "badge" },
    rect(x, node.y - 7, w, 17, 8.5, "ink-badge"),
    text(x + w / 2, node.y + 5.2, "middle", [badgeText(node), "on-badge"]),
  );
}

const condition = (item) => (item.condition && item.dotted ? `if ${item.condition}` : "");

/** A small sign that a box can be opened, or a frame closed. */
const sign = (x, y, down) =>
  mark("path", { class: "sign", d: down ? `M${px(x)} ${px(y)}h7l-3.5 4z` : `M${px(x)} ${px(y)}v7l4-3.5z` });

/** The texts of a box: name and count, the small line, when it is there. */
function* lines({ x, y, w, h, item }) {
  const when = item.form === "tag" ? "" : condition(item);
  const middle = x + w / 2;
  let base = y + h / 2 + (item.detail ? -2.5 : 4.5) - (when ? 6 : 0);
  yield text(middle, base, "middle", [item.title, "t"], [item.count, "s"]);
  if (item.detail) yield text(middle, (base += 14), "middle", [item.detail, "d"]);
  if (when) yield text(middle, base + 12, "middle", [when, "s"]);
}

/** How each form is drawn: its body, which shows the focus too, and its texts. */
const forms = {
  card: (node, ink) => [rect(node.x, node.y, node.w, node.h, 5, `${ink} body`), ...lines(node)],
  pill: (node, ink) => [
    rect(node.x, node.y, node.w, node.h, Math.min(12, node.h / 2), `${ink} body`),
    ...lines(node),
  ],
  strip: ({ x, y, w, h, item }, ink) => {
    const base = y + h / 2 + (condition(item) ? -2.5 : 3.5);
    return [
      rect(x, y, w, h, 5, `${ink} body`),
      text(x + w / 2, base, "middle", [item.title, "d strong"], [item.detail, "s"]),
      condition(item) ? text(x + w / 2, base + 12, "middle", [condition(item), "s"]) : null,
    ];
  },
  circle: ({ x, y, w, h, item }) => [
    rect(x, y, w, h, h / 2, "ink-circle body"),
    text(x + w / 2, y + h / 2 + 5, "middle", [item.title, "symbol"]),
    text(x + w + 1, y + h / 2 + 4, "start", [condition(item), "s"]),
  ],
  tag: (node, ink) => {
    const { x, y, w, h } = node;
    const path = `M${px(x)} ${px(y)}h${w - 8}l8 ${h / 2}l-8 ${h / 2}h${8 - w}z`;
    return [mark("path", { d: path, class: `${ink} body` }), ...lines(node)];
  },
  dots: ({ x, y, w, h }) => {
    const step = h >= w ? [0, h / 4] : [w / 4, 0];
    const dot = (i) => ({ cx: px(x + w / 2 + i * step[0]), cy: px(y + h / 2 + i * step[1]), r: 1.8 });
    return [-1, 0, 1].map((i) => mark("circle", { ...dot(i), class: "ink-dots" }));
  },
};

/** What a screen reader says of an item. */
function spoken({ item, inside }) {
  const said = [(inside && item.heading) || item.title, item.detail];
  if (item.copies) said.push(`${item.copies} copies`);
  if (item.parameters) said.push(`${grouped(item.parameters)} parameters${item.copies ? " each" : ""}`);
  if (item.condition) said.push(`if ${item.condition}`);
  else if (item.dotted) said.push("optional");
  return said.filter(Boolean).join(", ");
}

function drawItem(node, depth) {
  const { item, x, y, h } = node;
  if (isPort(item)) return null;
  const attributes = {
    class: `node${opens(item) ? " opens" : ""}${item.dotted ? " dotted" : ""}`,
    "data-path": node.path,
    "aria-label": spoken(node),
    tabindex: 0,
    role: opens(item) ? "button" : "img",
    "aria-expanded": opens(item) ? String(Boolean(node.inside)) : null,
  };
  if (node.inside) return drawFrame(node, attributes, depth);
  const ink = `ink-${(item.kind || "other").replace("#", "")}`;
  const form = item.form || "card";
  if (form === "dots") Object.assign(attributes, { tabindex: null, "aria-label": "and so on" });
  const behind = sheets(node, ink, form === "pill" ? 12 : 5);
  const closed = opens(item) ? sign(x + 4, y + h / 2 - 3.5, false) : null;
  node.element = mark("g", attributes, ...behind, ...forms[form](node, ink), closed, badge(node));
  return node.element;
}

function drawFrame(node, attributes, depth) {
  const { item, x, y, w, h } = node;
  const title = item.heading || item.title;
  const ink = depth % 2 ? "ink-deep" : "ink-frame";
  const noted = item.copies ? Math.min(x + w - 12, x + w - badgeWidth(node) / 2 - 2) : x + w - 12;
  node.element = mark(
    "g",
    attributes,
    rect(x, y, w, HEADER, 9, "head body"),
    opens(item) ? sign(x + 3.5, y + 12, true) : null,
    text(x + 13, y + 19, "start", [title, "t"]),
    text(noted, y + 18.5, "end", [item.note, "d"]),
    badge(node),
  );
  return mark(
    "g",
    { role: "group", "aria-label": title, class: item.dotted ? "dotted" : null },
    ...sheets(node, ink, 9),
    rect(x, y, w, h, 9, ink),
    node.element,
    ...drawArea(node.inside, x, y, depth + 1, node),
  );
}

/** The elements of an area whose corner lies at a point. */
function* drawArea(area, x, y, depth, parent) {
  for (const node of area.nodes) {
    const [w, h] = node.extents.map(({ size }) => size);
    Object.assign(node, { x: node.at[0] + x, y: node.at[1] + y, w, h, parent, area });
    shown.set(node.path, node);
  }
  for (const wire of area.wires) yield* drawWire(wire, x, y);
  for (const node of area.nodes) yield drawItem(node, depth);
}

function* drawWire(wire, x, y) {
  wire.points = wire.points.map((point) => [point[0] + x, point[1] + y]);
  const head = isPort(wire.target.item) ? null : `url(#head-${wire.style})`;
  wire.element = mark("path", { class: `wire ${wire.style}`, d: way(wire.points), "marker-end": head });
  yield wire.element;
  if (wire.at) yield text(wire.at[0] + x, wire.at[1] + y, "start", [wire.label, "s"]);
}

/** A path with rounded corners. */
function way(points) {
  const distance = (a, b) => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);
  points = points.filter((point, i) => !i || distance(point, points[i - 1]) > 0.05);
  let path = `M${px(points[0][0])} ${px(points[0][1])}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [before, here, after] = points.slice(i - 1, i + 2);
    const radius = Math.min(CORNER, distance(before, here) / 2, distance(here, after) / 2);
    const towards = (there) =>
      here
        .map((value, axis) => px(value + ((there[axis] - value) * radius) / (distance(here, there) || 1)))
        .join(" ");
    path += `L${towards(before)}Q${px(here[0])} ${px(here[1])} ${towards(after)}`;
  }
  const [x, y] = points[points.length - 1];
  return `${path}L${px(x)} ${px(y)}`;
}

function head(style) {
  const size = { viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9 };
  const path = mark("path", { d: "M0 1 9 5 0 9z", class: `head-${style}` });
  const units = { markerUnits: "userSpaceOnUse", orient: "auto" };
  return mark("marker", { id: `head-${style}`, ...units, ...size }, path);
}
