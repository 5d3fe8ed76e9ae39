// Every text of a page: its colour, what lies under it, and the contrast of the two (WCAG 2).
() => {
  const seen = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);
  const light = (colour) => {
    const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = seen(colour).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const page = getComputedStyle(document.body).backgroundColor;
  const under = (element) => {
    for (let at = element.parentNode; at; at = at.parentNode) {
      const shapes = [...at.children].filter((one) => !one.contains(element) && !one.matches(".wire, .hit"));
      for (const shape of shapes.reverse()) {
        if (!shape.matches("rect, path, circle") || shape.matches(".wire, .head, .sign")) continue;
        const fill = getComputedStyle(shape).fill;
        if (fill !== "none") return fill;
      }
      if (at.id === "chart") return page;
    }
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const drawn = all("#chart tspan").map((text) => [text.textContent, getComputedStyle(text).fill, under(text)]);
  const written = all("h1, header p, header button, #legend li").map((text) => {
    const own = getComputedStyle(text).backgroundColor;
    return [text.textContent, getComputedStyle(text).color, own === "rgba(0, 0, 0, 0)" ? page : own];
  });
  return [...drawn, ...written].map(([text, ink, ground]) => [text, ink, ground, contrast(ink, ground)]);
}
