// A stacked bar chart in SVG, with a table of the same numbers for those who do not see it.

const NS = "http://www.w3.org/2000/svg";

function shape(name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** A round number not below the greatest value: the top of the scale. */
export function roundUp(value) {
  if (value <= 1) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * unit).find((top) => top >= value);
}

const WIDTH = 960;
const HEIGHT = 240;
const LEFT = 56;
const BOTTOM = 28;
const TOP = 10;

function drawScale(svg, top, number) {
  for (const part of [0, 0.5, 1]) {
    const y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - part);
    svg.append(shape("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y, class: "grid" }));
    if (top * part === Math.floor(top * part))
      svg.append(shape("text", { x: LEFT - 8, y: y + 4, class: "scale" }, number(top * part)));
  }
}

function drawBar(svg, bar, x, width, top, series) {
  const group = shape("g", { class: "bar" });
  const lines = series.map((one) => `${one.label}: ${bar.values[one.name]}`);
  group.append(shape("title", {}, [bar.label, ...lines].join("\n")));
  group.append(shape("rect", { x, y: TOP, width, height: HEIGHT - TOP - BOTTOM, class: "hit" }));
  let y = HEIGHT - BOTTOM;
  for (const one of series) {
    const height = (bar.values[one.name] / top) * (HEIGHT - TOP - BOTTOM);
    y -= height;
    group.append(shape("rect", { x: x + width * 0.1, y, width: width * 0.8, height,
      class: one.name }));
  }
  svg.append(group);
}

/**
 * `bars`: {label, short, values: {name: number}}, in order; `series`: {name, label}, from below.
 * `name` is also the class by which the style colours it.
 */
export function chart(title, bars, series, number) {
  const figure = document.createElement("figure");
  const sum = (bar) => series.reduce((total, one) => total + bar.values[one.name], 0);
  const top = roundUp(Math.max(0, ...bars.map(sum)));
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": title });
  const step = (WIDTH - LEFT) / Math.max(1, bars.length);
  const every = Math.max(1, Math.ceil(bars.length / 10));
  drawScale(svg, top, number);
  bars.forEach((bar, index) => {
    drawBar(svg, bar, LEFT + index * step, step, top, series);
    if (index % every === 0)
      svg.append(shape("text", { x: LEFT + (index + 0.5) * step, y: HEIGHT - 8, class: "axis" },
        bar.short));
  });
  const caption = document.createElement("figcaption");
  caption.append(`${title} `);
  for (const one of series) {
    const key = document.createElement("span");
    key.className = `key ${one.name}`;
    key.textContent = one.label;
    caption.append(key);
  }
  figure.append(caption, svg);
  return figure;
}
