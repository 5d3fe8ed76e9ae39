// What is drawn of a chart: items with their borders, wires as points. In the chart's own units.
() => {
  const box = (element) => {
    const { x, y, width, height } = element.getBBox();
    return [x, y, x + width, y + height];
  };
  const around = (element) => {
    const frame = element.parentNode.closest("g[role=group]");
    return frame && frame.querySelector(":scope > [data-path]").dataset.path;
  };
  const nodes = [...document.querySelectorAll("#chart [data-path]")].map((element) => {
    const head = element.querySelector(":scope > .head");
    const own = head ? element.parentNode : element;
    const body = head ? [...own.querySelectorAll(":scope > rect")].pop() : element.querySelector(".body");
    return body && {
      path: element.dataset.path,
      box: box(body),
      head: head && box(head),
      parent: around(own),
    };
  }).filter(Boolean);
  const wires = [...document.querySelectorAll("#chart > svg path.wire")].map((path) => {
    const corners = path.getAttribute("d").match(/[MLQ][^MLQ]*/g).map((part) => part.slice(1).split(" ").map(Number));
    const length = path.getTotalLength();
    const steps = Math.max(2, Math.ceil(length / 3));
    const points = Array.from({ length: steps + 1 }, (_, i) => {
      const { x, y } = path.getPointAtLength((length * i) / steps);
      return [x, y];
    });
    return { corners, points, parent: around(path) };
  });
  return { nodes, wires };
}
