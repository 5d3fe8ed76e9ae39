// ---- Controls -----------------------------------------------------------------------------------

const button = (label, name, action) =>
  html("button", { type: "button", "aria-label": name, title: name, onclick: action }, label);
const set = (name, ...buttons) =>
  html("span", { class: "set", role: "group", "aria-label": name }, ...buttons);

const finder = html("input", {
  id: "search",
  type: "search",
  placeholder: "Search ( / )",
  "aria-label": "Search paths, operators and weights",
  autocomplete: "off",
  spellcheck: "false",
});
const found = html("output", { id: "found", for: "search" });
const paper = html("style", {}); // how a page lies when it is printed

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
function turn() {
  const now = root.dataset.theme || (dark.matches ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  say(root.dataset.theme);
}

const keys = [
  ["Enter, click", "open or close a block"],
  ["Arrows", "go along the graph"],
  ["Shift + arrows, drag", "move the chart"],
  ["+ −, wheel, pinch", "zoom"],
  ["f, double click", "show the whole chart"],
  ["0 to 9", "open as many levels"],
  ["o, c", "open all, close all"],
  ["/", "search; Enter goes to the next match"],
  ["t", "light or dark"],
  ["Escape", "close what is told, or the search"],
];
const key = ([name, does]) => html("tr", {}, html("th", { scope: "row" }, name), html("td", {}, does));
const help = html(
  "dialog",
  { id: "help", "aria-label": "Keys" },
  html("table", {}, ...keys.map(key)),
  html("form", { method: "dialog" }, html("button", {}, "Close")),
);

/** The buttons that open levels: none where there is no block. */
function levels() {
  const blocks = [...everything()].filter(({ item }) => opens(item) && !item.group);
  const deepest = blocks.reduce((most, { depth }) => Math.max(most, depth), 0);
  if (!deepest) return null;
  const some = Array.from({ length: Math.min(deepest - 1, 9) }, (_, i) =>
    button(String(i + 1), `Open ${i + 1} level${i ? "s" : ""}`, () => openTo(i + 1)),
  );
  const none = button("Close all", "Close all blocks", () => openTo(0));
  return set("Levels", none, ...some, button("Open all", "Open all blocks", () => openTo(Infinity)));
}

/** An entry of the legend. */
function entry([what, name]) {
  const line = { class: `wire ${name}`, d: "M1 6H30", "marker-end": `url(#head-${name})` };
  const sign = what === "kind" ? rect(0.5, 0.5, 15, 11, 3, `ink-${name}`) : mark("path", line);
  const size = { width: what === "kind" ? 16 : 32, height: 12, "aria-hidden": "true" };
  return html("li", {}, mark("svg", size, sign), name);
}

document.head.append(paper);
document.body.prepend(
  html(
    "header",
    {},
    html("div", { id: "heading" }, html("h1", {}, data.title), html("p", {}, data.facts.join(" · "))),
    html(
      "div",
      { id: "tools", role: "toolbar", "aria-label": "Chart" },
      html("span", { class: "search" }, finder, found),
      levels(),
      set(
        "Zoom",
        button("−", "Zoom out", () => zoom(1 / 1.25, null, true)),
        button("Fit", "Show the whole chart", () => fit()),
        button("+", "Zoom in", () => zoom(1.25, null, true)),
      ),
      button("◐", "Light or dark", turn),
      button("?", "Keys", () => help.showModal()),
    ),
  ),
);
const legend = html("ul", { id: "legend", "aria-label": "Legend" }, ...data.legend.map(entry));
document.body.append(legend, panel, status, help);

const pathOf = (target) => {
  const node = target instanceof Element && target.closest("[data-path]");
  return node ? node.getAttribute("data-path") : null;
};

// Pointers: one drags, two pinch; a click that was no drag opens.
const pointers = new Map();
let dragged = false;
chart.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!pointers.size) dragged = false;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, x0: event.clientX, y0: event.clientY });
});
addEventListener("pointermove", (event) => {
  const pointer = pointers.get(event.pointerId);
  if (!pointer) return;
  if (!dragged && Math.hypot(event.clientX - pointer.x0, event.clientY - pointer.y0) < 4) return;
  if (!dragged) chart.classList.add("dragged");
  dragged = true;
  const other = [...pointers.entries()].find(([id]) => id !== event.pointerId);
  if (other) {
    const apart = (x, y) => Math.hypot(x - other[1].x, y - other[1].y) || 1;
    const middle = [(event.clientX + other[1].x) / 2, (event.clientY + other[1].y) / 2];
    zoom(apart(event.clientX, event.clientY) / apart(pointer.x, pointer.y), middle);
  }
  const share = other ? 0.5 : 1;
  const { x, y } = state.view;
  look({ x: x + (event.clientX - pointer.x) * share, y: y + (event.clientY - pointer.y) * share });
  Object.assign(pointer, { x: event.clientX, y: event.clientY });
});
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) chart.classList.remove("dragged");
  });
}
chart.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode ? 16 : 1;
  zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), [event.clientX, event.clientY]);
}, { passive: false });
chart.addEventListener("click", (event) => {
  const path = pathOf(event.target);
  if (dragged || event.detail > 1) return;
  if (!path) return select(null);
  if (opens(shown.get(path).item)) return toggle(path);
  select(path);
  address(path);
});
chart.addEventListener("dblclick", (event) => pathOf(event.target) || fit());
chart.addEventListener("pointerover", (event) => {
  const path = pathOf(event.target);
  if ((path || state.selected) && !pointers.size) tell(path || state.selected);
});
chart.addEventListener("pointerleave", () => tell(state.selected));
panel.addEventListener("pointerenter", () => state.selected && tell(state.selected));
chart.addEventListener("focusin", (event) => {
  const path = pathOf(event.target);
  if (!path || path === state.selected || !event.target.matches(":focus-visible")) return;
  select(path);
  reveal(path);
  address(path);
});
chart.addEventListener("scroll", () => chart.scrollTo(0, 0)); // what takes the focus is not scrolled to

finder.addEventListener("input", search);
finder.addEventListener("keydown", (event) => {
  if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
  if (event.key !== "Escape") return;
  finder.value = "";
  search();
  const node = shown.get(state.selected);
  if (node) node.element.focus({ preventScroll: true });
  else finder.blur();
  event.preventDefault();
  event.stopPropagation();
});

const shortcuts = {
  "/": () => (finder.focus(), finder.select()),
  "?": () => help.showModal(),
  "+": () => zoom(1.25, null, true),
  "=": () => zoom(1.25, null, true),
  "-": () => zoom(1 / 1.25, null, true),
  f: () => fit(),
  o: () => openTo(Infinity),
  c: () => openTo(0),
  t: turn,
  Escape: leave,
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open || event.target === finder) return;
  const path = pathOf(event.target);
  const arrow = /^Arrow/.test(event.key);
  if (/^\d$/.test(event.key)) openTo(+event.key);
  else if (path && (event.key === "Enter" || event.key === " ")) toggle(path);
  else if (arrow && (event.shiftKey || !path)) {
    const [axis, sign] = SIDES[event.key];
    const { x, y } = state.view;
    look(axis ? { y: y - 60 * sign } : { x: x - 60 * sign });
  } else if (arrow) move(event.key);
  else if (Object.hasOwn(shortcuts, event.key)) shortcuts[event.key]();
  else return;
  event.preventDefault();
});

addEventListener("hashchange", () => addressed() && go(addressed(), { open: true, focus: true }));
let room = [0, 0];
new ResizeObserver(() => {
  const now = [chart.clientWidth, chart.clientHeight];
  if (now[0] && room[0]) look({ x: state.view.x + (now[0] - room[0]) / 2 });
  room = now;
}).observe(chart);

// ---- Begin --------------------------------------------------------------------------------------

document.documentElement.classList.add("live");
for (const path of data.open) {
  const found = locate(path);
  if (found) setOpen(found.item, found.path, true);
}
draw();
fit(true, false);
if (addressed() && !go(addressed(), { open: true, focus: true })) say(`There is no ${addressed()} here`);
