// Values under a pointer, a finger or the arrow keys; the page is complete without it.
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
for (const figure of document.querySelectorAll("figure[data-values]")) {
  const shown = JSON.parse(figure.dataset.values), out = document.createElement("output");
  const last = shown.count - 1, labels = shown.labels.flatMap(([name, count]) => Array(count).fill(name));
  const days = Array.from({length: shown.count}, (_, i) => new Date(Date.UTC(shown.from[0], shown.from[1] + i, 0)));
  days[last] = new Date(Date.UTC(shown.last[0], shown.last[1] - 1, shown.last[2]));
  const years = days.map(d => d.getUTCFullYear() + (d - Date.UTC(d.getUTCFullYear(), 0, 1)) / 864e5 / 366);
  const number = (value, line) => (value / 10 ** line.decimals).toFixed(line.decimals).replace("-", "\u2212") + (line.unit && "\u202f" + line.unit);
  let at = last;
  const axis = svg => {
    const [width, first, end] = svg.dataset.x.split(" ").map(Number);
    return {width, first, span: end - first, left: svg.querySelector("g[transform]").transform.baseVal[0].matrix.e + 0.5};
  };
  const show = (svg, i) => {
    at = Math.min(Math.max(i, 0), last);
    const {width, first, span, left} = axis(svg), box = svg.viewBox.baseVal;
    const x = left + width * (years[at] - first) / span;
    const mark = svg.querySelector(".at") || svg.appendChild(document.createElementNS(svg.namespaceURI, "line"));
    for (const [name, value] of Object.entries({class: "at", x1: x, x2: x, y1: 0, y2: box.height, stroke: "var(--ink)"}))
      mark.setAttribute(name, value);
    const d = days[at], parts = shown.lines.filter(l => l.values[at] !== null).map(l => `${l.name} ${number(l.values[at], l)}`);
    if (labels[at]) parts.push(labels[at]);
    out.textContent = `${d.getUTCDate()} ${months[d.getUTCMonth()]} ${d.getUTCFullYear()}: ${parts.join("; ")}`;
    svg.parentNode.after(out);
  };
  const point = event => {
    const svg = event.target.closest("svg[data-x]");
    if (!svg) return;
    const {width, first, span, left} = axis(svg), box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const year = first + ((event.clientX - box.left) * scale - left) / width * span;
    show(svg, years.reduce((best, y, i) => Math.abs(y - year) < Math.abs(years[best] - year) ? i : best, 0));
  };
  figure.addEventListener("pointermove", point);
  figure.addEventListener("pointerdown", point);
  figure.addEventListener("keydown", event => {
    const step = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last}[event.key];
    const svg = [...figure.querySelectorAll("svg[data-x]")].find(s => s.getBoundingClientRect().width);
    if (step === undefined || event.target !== figure) return;
    event.preventDefault();
    show(svg, step);
  });
}
