// What every picture of rtvirt shares: colours by meaning, second cues, crisp canvases, axes, unpacking columns.
// Put in front of a widget's own files when its class is made (no module loader, no network).

// Okabe-Ito colours by meaning; the hatch is the second cue for those who cannot tell the colours apart.
const MEANING = {
  "real-time": { colour: "#0072B2", ink: "#ffffff", hatch: "none" },
  "best effort": { colour: "#E69F00", ink: "#000000", hatch: "diagonal" },
  driver: { colour: "#009E73", ink: "#000000", hatch: "dots" },
  hypervisor: { colour: "#999999", ink: "#000000", hatch: "cross" },
};
const MISS = "#D55E00";
const BOOST = "#CC79A7";

// Columns of float64 that travel in one bytes trait; `columns` maps a name to its length, in order.
function unpack(columns, view) {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const out = {};
  let offset = 0;
  for (const [name, length] of columns) {
    out[name] = new Float64Array(bytes, offset * 8, length);
    offset += length;
  }
  return out;
}

function el(tag, className, parent, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}

// Colours of the page as it is now: JupyterLab's theme through CSS, so light and dark both work.
function theme(node) {
  const style = getComputedStyle(node);
  const get = (name) => style.getPropertyValue(name).trim();
  return { ink: get("--rtvirt-ink"), soft: get("--rtvirt-soft"), grid: get("--rtvirt-grid"), paper: get("--rtvirt-paper"),
    lane: get("--rtvirt-lane"), realTime: get("--rtvirt-real-time"), font: style.fontFamily || "sans-serif" };
}

// Call `again` when the page changes from light to dark; returns how to stop listening. The theme's colours arrive some time
// after its name, so it is called again a little later, twice.
function watchTheme(again) {
  let timers = [];
  const changed = () => {
    timers.forEach(clearTimeout);
    timers = [0, 200, 1000].map((wait) => setTimeout(again, wait));
  };
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", changed);
  return () => { timers.forEach(clearTimeout); observer.disconnect(); media.removeEventListener("change", changed); };
}

// Size a canvas to its CSS box in device pixels, so that lines stay sharp on every screen.
function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const w = Math.max(1, Math.round(width * ratio)), h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.height = `${height}px`;
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  return g;
}

// Run `draw` once in the next frame, however often it is asked for.
function oncePerFrame(draw) {
  let asked = 0;
  const ask = () => { if (!asked) asked = requestAnimationFrame(() => { asked = 0; draw(); }); };
  ask.cancel = () => cancelAnimationFrame(asked);
  return ask;
}

// Keep a picture true while the model, the theme or its room changes; returns how to stop. `refresh` reads the model anew, `paint` is
// a `oncePerFrame`, `forget` drops what was known of the theme's colours.
function keepTrue(model, root, refresh, paint, forget) {
  refresh();
  model.on("change", refresh);                    // once a message, whatever it brings
  const forgetTheme = watchTheme(() => { forget(); refresh(); });
  const sizes = new ResizeObserver(paint);
  sizes.observe(root);
  return () => {
    model.off("change", refresh);
    forgetTheme();
    sizes.disconnect();
    paint.cancel();
  };
}

// A canvas that shows the model's picture, described by its label, drawn anew whenever something changes. `draw(canvas, picture, width, look)`.
function showPicture(model, root, name, draw) {
  root.classList.add("rtvirt", name);
  const canvas = el("canvas", "", root);
  canvas.setAttribute("role", "img");
  let picture = {}, look = null;
  const paint = oncePerFrame(() => {
    const width = canvas.clientWidth || root.clientWidth;
    if (width < 40 || !picture.label) return;
    look = look || theme(root);
    draw(canvas, picture, width, look);
    canvas.dataset.frame = Number(canvas.dataset.frame || 0) + 1;
  });
  function refresh() {
    picture = model.get("picture");
    if (!picture.label) return;
    canvas.setAttribute("aria-label", picture.label);
    paint();
  }
  return keepTrue(model, root, refresh, paint, () => { look = null; });
}

const patterns = new Map();
// The fill of a meaning: its colour, with a hatch in a darker tone.
function fill(g, meaning) { return hatched(g, MEANING[meaning].colour, MEANING[meaning].hatch); }

function hatched(g, colour, hatch) {
  const ratio = window.devicePixelRatio || 1;
  const key = `${colour} ${hatch}@${ratio}`;
  if (hatch === "none") return colour;
  if (!patterns.has(key)) {
    const size = 8 * ratio;
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const t = tile.getContext("2d");
    t.scale(ratio, ratio);
    t.fillStyle = colour;
    t.fillRect(0, 0, 8, 8);
    t.strokeStyle = t.fillStyle = "rgba(0,0,0,0.28)";
    t.lineWidth = 1.4;
    t.beginPath();
    if (hatch === "diagonal" || hatch === "cross") for (const k of [-8, 0, 8]) { t.moveTo(k - 1, 9); t.lineTo(k + 9, -1); }
    if (hatch === "cross") for (const k of [-8, 0, 8]) { t.moveTo(k - 1, -1); t.lineTo(k + 9, 9); }
    if (hatch === "upright") { t.moveTo(4, -1); t.lineTo(4, 9); }
    if (hatch === "level") { t.moveTo(-1, 4); t.lineTo(9, 4); }
    t.stroke();
    if (hatch === "dots") for (const [x, y] of [[2, 2], [6, 6]]) t.fillRect(x - 1, y - 1, 2, 2);
    const pattern = g.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / ratio));   // the tile is in device pixels
    patterns.set(key, pattern);
  }
  return patterns.get(key);
}

// A round step (1, 2 or 5 times a power of ten) that puts about `count` ticks on `span`.
function niceStep(span, count) {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  for (const m of [1, 2, 5]) if (m * power >= raw * 0.999) return m * power;
  return 10 * power;
}

const UNITS = [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]];

// A time in words: three or four significant digits and a unit. "0.3 ms", "58 ms", "1.2 s"
function words(ns) {
  const size = Math.abs(ns);
  const [name, scale] = size >= 1e9 ? UNITS[0] : size >= 1e5 ? UNITS[1] : size >= 1e3 ? UNITS[2] : UNITS[3];
  return `${Number((ns / scale).toPrecision(5))} ${name}`;
}

function clamp(x, low, high) { return Math.min(high, Math.max(low, x)); }

// How many of the rows `order`, sorted by a[row], have a[row] <= x.
function upper(a, x, order) {
  let low = 0, high = order.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (a[order[mid]] > x) high = mid; else low = mid + 1;
  }
  return low;
}
