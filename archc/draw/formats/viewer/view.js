/** Draw what is open. The item at `path` stays where it is on the screen. */
function draw(path = null) {
  const before = path && shown.get(path);
  const focused = document.activeElement && document.activeElement.getAttribute("data-path");
  drawing = arrange(data.blocks[data.root], "");
  shown = new Map();
  const [w, h] = drawing.size.map((value) => value + 2 * MARGIN);
  const drawn = mark(
    "svg",
    {
      viewBox: `${-MARGIN} ${-MARGIN} ${px(w)} ${px(h)}`,
      width: px(w),
      height: px(h),
      role: "group",
      "aria-label": `Chart of ${data.title}`,
    },
    mark("defs", {}, ...["data", "residual", "optional"].map(head)),
    ...drawArea(drawing, 0, 0, 0, null),
  );
  chart.replaceChildren(drawn);
  svg = drawn;
  paper.textContent = `@page { size: ${w > 1.2 * h ? "landscape" : "portrait"}; margin: 10mm }`;
  const after = path && shown.get(path);
  if (before && after) {
    const { x, y, k } = state.view;
    const right = before.x + before.w / 2 - after.x - after.w / 2;
    look({ x: x + right * k, y: y + (before.y - after.y) * k });
  } else look({});
  markHits();
  if (shown.has(state.selected)) select(state.selected);
  if (focused && shown.has(focused)) shown.get(focused).element.focus({ preventScroll: true });
}

// ---- The view -----------------------------------------------------------------------------------

const LEAST = 0.05;
const MOST = 4;
const READABLE = 0.8;

function look(view, smooth = false) {
  Object.assign(state.view, view);
  const { x, y, k } = state.view;
  svg.style.transition = smooth && !calm.matches ? "transform 0.15s" : "";
  svg.style.transform = `translate(${x}px, ${y}px) scale(${k})`;
}

function zoom(factor, at = null, smooth = false) {
  const box = chart.getBoundingClientRect();
  const [x, y] = at ? [at[0] - box.left, at[1] - box.top] : [box.width / 2, box.height / 2];
  const k = Math.min(MOST, Math.max(LEAST, state.view.k * factor));
  const by = k / state.view.k;
  look({ k, x: x - (x - state.view.x) * by, y: y - (y - state.view.y) * by }, smooth);
}

/** Show the whole drawing; or, where that would be too small to read, its beginning. */
function fit(readable = false, smooth = true) {
  const [w, h] = drawing.size.map((value) => value + 2 * MARGIN);
  const { clientWidth: wide, clientHeight: high } = chart;
  const whole = Math.min(wide / w, high / h, 1);
  const k = readable ? Math.max(whole, Math.min(READABLE, data.sideways ? high / h : wide / w)) : whole;
  const begin = (room, size, along) => {
    const space = room - size * k;
    return along && space < 0 ? (data.backwards ? space : 0) : space / 2;
  };
  look({ k, x: begin(wide, w, data.sideways), y: begin(high, h, !data.sideways) }, smooth);
}

/** Move an item into the view, if it is not there; nearer, if it is too small to read. */
function reveal(path, readable = false) {
  const node = shown.get(path);
  if (!node) return;
  if (readable && state.view.k < READABLE) zoom(READABLE / state.view.k);
  const { k, x, y } = state.view;
  const shift = (low, size, offset, room) => {
    const start = (low + MARGIN) * k + offset;
    const end = start + size * k;
    if (start >= 8 && end <= room - 8) return offset;
    return size * k > room - 80 ? offset + 40 - start : offset + (room - size * k) / 2 - start;
  };
  const head = node.inside ? 28 : node.h;
  const right = shift(node.x, node.w, x, chart.clientWidth);
  look({ x: right, y: shift(node.y, head, y, chart.clientHeight) }, true);
}

// ---- Opening and closing ------------------------------------------------------------------------

function toggle(path) {
  const node = shown.get(path);
  if (!node || !opens(node.item)) return;
  const opening = !node.inside;
  const within = [...state.open].filter((other) => other.startsWith(`${path}.`));
  if (!opening) for (const other of within) state.open.delete(other);
  setOpen(node.item, path, opening);
  draw(path);
  select(path);
  say(`${opening ? "opened" : "closed"} ${path}`);
  address(opening ? path : path.includes(".") && node.parent ? node.parent.path : "");
}

/** Open all blocks that lie less than `level` deep, and close the others. */
function openTo(level) {
  state.open.clear();
  for (const { item, path, depth } of everything()) {
    setOpen(item, path, depth <= level);
  }
  draw();
  fit(true, false);
  if (state.selected && !shown.has(state.selected)) select(null);
  address(state.selected || "");
  say(`opened ${level === Infinity ? "all blocks" : `blocks ${level} deep`}, ${shown.size} items`);
}

/** Open what is around the item that a path names, and select it. */
function go(path, options = {}) {
  const found = locate(path);
  if (!found) return false;
  for (const around of found.around) setOpen(around.item, around.path, true);
  if (options.open) setOpen(found.item, found.path, true);
  draw();
  select(found.path);
  reveal(found.path, true);
  if (options.focus) shown.get(found.path).element.focus({ preventScroll: true });
  return true;
}

/** Keep the page's address in step. A page inside another may not. */
function address(path) {
  const hash = path ? `#${encodeURI(path)}` : "";
  if (location.hash === hash) return;
  try {
    history.replaceState(null, "", hash || location.pathname + location.search);
  } catch {
    // the address stays as it is
  }
}

const addressed = () => {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
};
