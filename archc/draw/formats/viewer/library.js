// The viewer of a diagram: opens and closes blocks, pans, zooms, searches, and tells of each item.
//
// It is a plain script without parts to build or load. The page holds all data as JSON (library.py says
// what is in it): every distinct block laid out once, with all blocks in it closed. Where a block is
// opened, space is inserted into the layout around it: nothing is laid out anew, so that what is seen
// stays where it was, edges stay orthogonal, and nothing comes to lie upon anything else.

const data = JSON.parse(document.getElementById("data").textContent);
const chart = document.getElementById("chart");
const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 24; // around the whole drawing
const CORNER = 6; // how round the corners of a line are
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const state = {
  open: new Set(), // the paths of opened blocks
  selected: null, // the path that the panel tells of, wherever the pointer is
  view: { x: 0, y: 0, k: 1 }, // where the drawing's corner lies in the chart, and its scale
  hits: [], // the paths that a search found
};
let shown = new Map(); // what is drawn, by its path
let drawing = null; // the layout of the whole
let svg = null;

// ---- Elements -----------------------------------------------------------------------------------

/** An element with attributes and children; those that are null are left out. Texts stay texts. */
function element(space, name, attributes, children) {
  const made = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
const html = (name, attributes, ...children) => element(null, name, attributes, children);
const mark = (name, attributes, ...children) => element(SVG, name, attributes, children);

// ---- The library --------------------------------------------------------------------------------

const isPort = (item) => item.form === "port";
const holds = (item) => item.block !== undefined;
const opens = (item) => holds(item) && !item.inline;

const words = (value) => (Array.isArray(value) ? value.map(words) : data.texts[value]);
const wordy = new Set(data.wordy);

/** An item from its row: what is not said is left out. `at` is its place: x, y, w, h, spine. */
function unpacked(row) {
  const item = { id: "", title: "" };
  data.columns.forEach((name, i) => {
    if (row[i]) item[name] = wordy.has(name) ? words(row[i]) : row[i];
  });
  item.at = row.slice(1, 6);
  if (holds(item)) item.block -= 1;
  return item;
}

for (const block of data.blocks) {
  block.name = words(block.name);
  block.items = block.items.map((number) => unpacked(data.items[number]));
  block.wires = block.wires.map((number) => {
    const [source, target, out, into, style, label, x, y, ...flat] = data.wires[number];
    const points = [];
    for (let i = 0; i < flat.length; i += 2) points.push([flat[i], flat[i + 1]]);
    const ports = { out: words(out), into: words(into) };
    return { source, target, ports, style: words(style), label: words(label), at: [x, y], points };
  });
}

/** What the ids in an opened item start with: a group's items are named in the block around it. */
const beginning = (item, prefix) => (item.group ? prefix : `${prefix}${item.id}.`);

/** Everything in a block at every depth: its path, the path that its weights have, how deep it is. */
function* everything(block = data.root, prefix = "", weights = "", depth = 1) {
  for (const item of data.blocks[block].items) {
    const path = prefix + item.id;
    yield { item, path, weights, depth };
    if (!holds(item)) continue;
    const own = item.group ? weights : `${weights}${item.path || item.id}.`;
    yield* everything(item.block, beginning(item, prefix), own, depth + !item.group);
  }
}

/** The items of a block and of the groups in it, each with the paths of the groups around it. */
function* items(block, prefix, groups = []) {
  for (const item of data.blocks[block].items) {
    yield { item, path: prefix + item.id, groups };
    if (item.group) yield* items(item.block, prefix, [...groups, { path: prefix + item.id, item }]);
  }
}

/** How much of a path an item answers to: its id, one of its copies, or the bare name of a repeat. */
function answers(item, path) {
  const begins = (name) => path === name || path.startsWith(`${name}.`);
  const [, name, first, last] = /^(.*?)(?:\.(\d+)(?:-(\d+))?)?$/.exec(item.id);
  const copies = first ? [+first, +(last || first)] : [0, (item.copies || 0) - 1];
  const copy = begins(name) ? /^\d+(?=\.|$)/.exec(path.slice(name.length + 1)) : null;
  if (copy && copies[0] <= +copy[0] && +copy[0] <= copies[1]) return `${name}.${copy[0]}`;
  if (begins(item.id)) return item.id;
  return begins(name) && !copy ? name : "";
}

/** The item that a path of the model names, and what is around it from outside in. */
function locate(path) {
  let block = data.root;
  let found = null;
  for (let rest = path; rest; ) {
    const prefix = found ? `${found.path}.` : "";
    const known = [...items(block, prefix)].filter(({ item }) => !isPort(item) && answers(item, rest));
    const own = ({ item }) => answers(item, rest).length >= item.id.length;
    const next = known.find(own) || known[0];
    if (!next) break;
    found = { ...next, around: [...(found ? [...found.around, found] : []), ...next.groups] };
    if (!holds(next.item) || next.item.group) break;
    block = next.item.block;
    rest = rest.slice(answers(next.item, rest).length + 1);
  }
  return found;
}

const isOpen = (item, path) => Boolean(item.inline) || (opens(item) && state.open.has(path));
function setOpen(item, path, open) {
  if (!open) state.open.delete(path);
  else if (opens(item)) state.open.add(path);
}
