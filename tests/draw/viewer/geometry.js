// What is drawn of a chart: items with their borders, wires as points. In the chart's own units.
() => {
  const box = (element) => {
    const { x, y, width, height } = element.getBBox();
    return [x, y, x + width, y + height];
  };
  const nodes = [...document.querySelectorAll("#chart [data-path]")].map((element) => {
    const head = element.querySelector(":scope > .head");
    const own = head ? element.parentNode : element;
    const around = own.parentNode.closest("g[role=group]");
    const body = head ? [...own.querySelectorAll(":scope > rect")].pop() : element.querySelector(".body");
    return body && {
      path: element.dataset.path,
      box: box(body),
      head: head && box(head),
      parent: around && around.querySelector(":scope > [data-path]").dataset.path,
    };
  }).filter(Boolean);
  const wires = [...document.querySelectorAll("#chart > svg path.wire")].map((path) => {
    const length = path.getTotalLength();
    const steps = Math.max(2, Math.ceil(length / 3));
    return Array.from({ length: steps + 1 }, (_, i) => {
      const point = path.getPointAtLength((length * i) / steps);
      return [point.x, point.y];
    });
  });
  return { nodes, wires };
}
