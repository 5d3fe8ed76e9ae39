// ---- The panel ----------------------------------------------------------------------------------

const panel = html("aside", { id: "panel", "aria-label": "Details", hidden: "" });
const status = html("div", { id: "status", role: "status", "aria-live": "polite" });
const say = (words) => (status.textContent = words);

function select(path) {
  for (const old of chart.querySelectorAll(".selected")) old.classList.remove("selected");
  state.selected = path;
  if (path) shown.get(path).element.classList.add("selected");
  tell(path);
}

async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    // Where a page has no clipboard of its own, the selection is copied.
    const field = html("textarea", { class: "away" });
    field.value = words;
    document.body.append(field);
    const before = document.activeElement;
    field.select();
    document.execCommand("copy");
    field.remove();
    if (before) before.focus({ preventScroll: true });
  }
  say(`copied ${words}`);
}

/** A button that copies words. */
function copier(words) {
  const said = { type: "button", class: "copy", title: "Copy", "aria-label": `Copy ${words}` };
  const sheets = mark("path", { d: "M4.5 4.5V1.5h7v7h-3M1.5 4.5h7v7h-7z" });
  const icon = mark("svg", { width: 13, height: 13, "aria-hidden": "true" }, sheets);
  return html("button", { ...said, onclick: () => copy(words) }, icon);
}

/** The path that the weights of a drawn item begin with. */
function weightsAt(node) {
  const own = [];
  for (let around = node.parent; around; around = around.parent) {
    if (!around.item.group) own.unshift(`${around.item.path || around.item.id}.`);
  }
  return own.join("");
}

/** Show what is known of an item in the panel, and its edges in the chart. */
function tell(path) {
  for (const lit of chart.querySelectorAll(".lit")) lit.classList.remove("lit");
  const node = path && shown.get(path);
  panel.hidden = !node;
  if (!node) return;
  for (const wire of node.area.wires) {
    if (wire.source === node || wire.target === node) wire.element.classList.add("lit");
  }
  const { item } = node;
  const rows = [];
  const row = (name, value, ...more) => {
    if (value) rows.push(html("dt", {}, name), html("dd", {}, value, ...more));
  };
  const times = item.copies ? ` × ${item.copies}` : "";
  row("Path", node.path, copier(node.path));
  row("Type", item.type);
  const counted = item.parameters ? grouped(item.parameters) + times : "";
  row("Parameters", counted || (item.shared ? "shared, counted elsewhere" : ""));
  row("FLOPs", item.flops && item.flops !== "…" && item.flops + times);
  row("Only if", item.condition);
  const line = item.line && `${data.files[item.file || 0]}:${item.line}`;
  row("Spec", line && line.replace(/^.*[\\/]/, ""), line && copier(line));
  const weights = (item.weights || []).map((name) => weightsAt(node) + name);
  const some = weights.slice(0, 40).map((name) => html("li", {}, html("code", {}, name), copier(name)));
  const web = /^https?:/.test(item.link || "");
  panel.replaceChildren(
    html("button", { type: "button", class: "close", "aria-label": "Close details", onclick: leave }, "×"),
    html("h2", {}, item.title || node.path),
    item.detail ? html("p", { class: "detail" }, item.detail) : "",
    html("dl", {}, ...rows),
    item.doc ? html("p", { class: "doc" }, item.doc) : "",
    ...(some.length ? [html("h3", {}, some.length > 1 ? "Weights" : "Weight"), html("ul", {}, ...some)] : []),
    weights.length > some.length ? html("p", {}, `and ${weights.length - some.length} more in it`) : "",
    web ? html("p", {}, html("a", { href: item.link, rel: "noreferrer" }, item.link)) : "",
  );
}

/** Close what is open beside the chart: Escape. */
function leave() {
  select(null);
  address("");
}
