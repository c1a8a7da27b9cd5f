// Small things to look at: bars, curves, tables. Text from the device is only ever set as text.
const SVG = "http://www.w3.org/2000/svg";
const WIDE = 320, HIGH = 96, EDGE = 6;

export const make = (name, text, more = {}) =>
  Object.assign(document.createElement(name), { textContent: text ?? "" }, more);

export const percent = (value) => `${(100 * value).toFixed(value < 0.1 && value > 0 ? 1 : 0)} %`;

export const number = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

// A label with a bar as long as its value (0 to 1); `fill` changes it.
export function bar(label) {
  const root = make("div", "", { className: "bar" });
  const text = make("span");
  text.append(make("span", label), make("b"));
  root.append(make("i"), text);
  return root;
}

export function fill(root, value, told = percent(value)) {
  root.firstChild.style.width = `${100 * value}%`;
  root.lastChild.lastChild.textContent = told;
}

// A line through values, from 0 (or `least`) to the largest; `name` says what it shows, and is read aloud.
export function curve(name, values, { least = 0, most = Math.max(...values, 1e-9), told = (value) => value.toFixed(3), dots = false } = {}) {
  const figure = make("figure", "", { className: "curve" });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
  svg.setAttribute("role", "img");
  const first = told(values[0]), last = told(values.at(-1));
  svg.setAttribute("aria-label", `${name}: from ${first} to ${last}`);
  const x = (index) => EDGE + ((WIDE - 2 * EDGE) * index) / Math.max(1, values.length - 1);
  const y = (value) => HIGH - EDGE - ((HIGH - 2 * EDGE) * (value - least)) / (most - least || 1);
  const draw = (kind, attributes) => {
    const one = document.createElementNS(SVG, kind);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    svg.append(one);
  };
  for (const level of [least, (least + most) / 2, most]) {
    draw("line", { x1: EDGE, x2: WIDE - EDGE, y1: y(level), y2: y(level), class: "level" });
  }
  draw("polyline", { points: values.map((value, index) => `${x(index)},${y(value)}`).join(" ") });
  if (dots) values.forEach((value, index) => draw("circle", { cx: x(index), cy: y(value), r: 3.5 }));
  const caption = make("figcaption", name);
  caption.append(make("b", `${first} → ${last}`));
  figure.append(caption, svg);
  return figure;
}

// Rows of [name, value]; what is empty is left out.
export function facts(rows) {
  const list = make("dl");
  for (const [name, value] of rows) {
    if (value !== "" && value !== null && value !== undefined) list.append(make("dt", name), make("dd", String(value)));
  }
  return list;
}

// What was taken for what: rows are the true classes, columns the answers.
export function confusion(classes, counts) {
  const table = make("table", "", { className: "confusion" });
  const head = make("tr");
  head.append(make("th", "true ↓ answer →"), ...classes.map((label) => make("th", label, { scope: "col" })));
  table.append(head);
  counts.forEach((row, index) => {
    const line = make("tr");
    const all = Math.max(1, row.reduce((sum, value) => sum + value, 0));
    line.append(make("th", classes[index], { scope: "row" }), ...row.map((value, column) => {
      const cell = make("td", value ? String(value) : "·", { className: column === index ? "right" : "wrong" });
      cell.style.setProperty("--share", value / all);
      return cell;
    }));
    table.append(line);
  });
  return table;
}
