// ---- Search -------------------------------------------------------------------------------------

let index = null;
let current = -1;

function indexed() {
  index ??= [...everything()]
    .filter(({ item }) => !isPort(item) && item.form !== "dots")
    .map(({ item, path, weights }) => {
      const names = (item.weights || []).map((name) => weights + name);
      const block = !opens(item) ? "" : data.blocks[item.block].name;
      return { path, text: [path, item.title, item.detail, block, ...names].join("\n").toLowerCase() };
    });
  return index;
}

function search() {
  const sought = finder.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ text }) => sought.every((word) => text.includes(word));
  state.hits = sought.length ? indexed().filter(fits).map(({ path }) => path) : [];
  current = -1;
  found.textContent = sought.length ? told() : "";
  markHits();
}

const told = () => {
  const { length } = state.hits;
  if (!length) return "no match";
  return current < 0 ? `${length} match${length > 1 ? "es" : ""}` : `${current + 1} of ${length}`;
};

function next(step) {
  const { length } = state.hits;
  if (!length) return;
  current = current < 0 && step < 0 ? length - 1 : (current + step + length) % length;
  go(state.hits[current]);
  address(state.selected);
  found.textContent = told();
  say(`${told()}: ${state.selected}`);
}

function markHits() {
  const hits = new Set(state.hits);
  for (const [path, { element }] of shown) if (element) element.classList.toggle("hit", hits.has(path));
}

// ---- Moving the focus along the graph -----------------------------------------------------------

const SIDES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, -1], ArrowDown: [1, 1] };

const reachable = (node) => node.element && node.element.hasAttribute("tabindex");

/** The items that come after one (or before it), through the borders of frames. */
function beside(node, forward) {
  const [from, to] = forward ? ["source", "target"] : ["target", "source"];
  const ends = node.area.wires.filter((wire) => wire[from] === node).map((wire) => wire[to]);
  return ends.flatMap((end) => {
    if (isPort(end.item)) return end.parent ? (forward ? beside(end.parent, true) : [end.parent]) : [];
    if (!forward && end.inside) return lasts(end);
    return reachable(end) ? [end] : beside(end, forward);
  });
}
/** What an opened item begins with, and what it ends with. */
function within(node, forward) {
  const isOutput = ({ item }) => item.kind === "output";
  const ports = node.inside.nodes.filter((inner) => isPort(inner.item) && isOutput(inner) !== forward);
  return ports.flatMap((port) => beside(port, forward)).filter((inner) => inner !== node);
}
function lasts(node) {
  const inner = within(node, false);
  return inner.length ? inner : [node];
}

function move(key) {
  const node = shown.get(document.activeElement.getAttribute("data-path"));
  if (!node) return;
  const [axis, sign] = SIDES[key];
  const middle = (one) => [one.x + one.w / 2, one.y + (one.inside ? 14 : one.h / 2)];
  const here = middle(node);
  const off = (one) => Math.abs(middle(one)[1 - axis] - here[1 - axis]);
  const ahead = (one) => (middle(one)[axis] - here[axis]) * sign;
  let ways = [];
  for (const forward of axis === node.area.across ? [] : [true, false]) {
    const near = forward && node.inside ? within(node, true) : beside(node, forward);
    ways.push(...near.filter((one) => ahead(one) > 1 && ahead(one) >= off(one) / 4));
  }
  if (!ways.length) {
    // No edge leads there: what lies there.
    ways = [...shown.values()].filter((one) => one !== node && reachable(one));
    ways = ways.filter((one) => ahead(one) > 1 && ahead(one) >= off(one));
  }
  ways.sort((a, b) => ahead(a) + 2 * off(a) - ahead(b) - 2 * off(b));
  if (ways.length) ways[0].element.focus({ preventScroll: true });
}
