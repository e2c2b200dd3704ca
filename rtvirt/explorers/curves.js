// Curves of work against the length of a window: what a supply surely brings, what tasks ask for. See curves.py for what is sent.

const LEFT = 92, RIGHT = 14, TOP = 26, AXIS = 40;
const WEIGHT = { "real-time": 3, bound: 2.75 }, DASH = [[], [8, 5], [2, 4]];

const AXES = { units: [1e6, 1e6], titles: ["length of the window [ms]", "processor time [ms]"] };

function colourOf(meaning, look) {
  return meaning === "real-time" ? look.realTime : meaning === "miss" ? MISS : meaning === "bound" ? look.ink : MEANING[meaning].colour;
}

function draw(canvas, run, width, look) {
  const [xMost, yMost] = run.most, height = TOP + run.tall + AXIS, low = TOP + run.tall;
  const X = (t) => LEFT + (t / xMost) * (width - LEFT - RIGHT), Y = (w) => low - (w / yMost) * run.tall;
  const g = fitCanvas(canvas, width, height);
  g.fillStyle = look.paper;
  g.fillRect(0, 0, width, height);
  drawPlane(g, run.most, X, Y, { left: LEFT, right: RIGHT, top: TOP, low, width }, { ...AXES, steps: [(width - LEFT) / 95, 6] }, look);
  g.save();
  g.beginPath();
  g.rect(LEFT, TOP - 8, width - LEFT - RIGHT, run.tall + 8);
  g.clip();
  drawExcess(g, run, X, Y);
  run.lines.forEach((line, k) => drawLine(g, line, run.data.window, run.data[`line_${k}`], X, Y, look));
  g.restore();
  for (const mark of run.marks) drawMark(g, mark, X, Y, low, width, look);
}

// Where more is asked for than is surely there.
function drawExcess(g, run, X, Y) {
  const [over, under] = run.excess.map((k) => run.data[`line_${k}`]), at = run.data.window;
  g.fillStyle = MISS;
  g.globalAlpha = 0.4;
  for (let i = 1; i < at.length; i++) {
    if (over[i] <= under[i] && over[i - 1] <= under[i - 1]) continue;
    g.beginPath();
    g.moveTo(X(at[i - 1]), Y(under[i - 1]));
    g.lineTo(X(at[i - 1]), Y(Math.max(over[i - 1], under[i - 1])));
    g.lineTo(X(at[i]) + 0.5, Y(Math.max(over[i], under[i])));
    g.lineTo(X(at[i]) + 0.5, Y(under[i]));
    g.fill();
  }
  g.globalAlpha = 1;
}

function drawLine(g, line, at, work, X, Y, look) {
  g.strokeStyle = colourOf(line.meaning, look);
  g.lineWidth = line.dash ? 1.75 : WEIGHT[line.meaning];
  g.setLineDash(DASH[line.dash]);
  g.lineJoin = "round";
  g.beginPath();
  for (let i = 0; i < at.length; i++) g[i ? "lineTo" : "moveTo"](X(at[i]), Y(work[i]));
  g.stroke();
  g.setLineDash([]);
}

// A stretch of windows (from, to) at a height, or an upright one (low, high) at a window; with its name on the paper's colour.
function drawMark(g, mark, X, Y, low, width, look) {
  const upright = mark.at !== undefined, colour = colourOf(mark.meaning, look);
  const [x0, y0, x1, y1] = upright ? [X(mark.at), Y(mark.low), X(mark.at), Y(mark.high)] : [X(mark.from), low - 16, X(mark.to), low - 16];
  g.strokeStyle = colour;
  g.lineWidth = upright ? 3.5 : 2;
  g.beginPath();
  g.moveTo(x0, y0); g.lineTo(x1, y1);
  for (const [x, y] of [[x0, y0], [x1, y1]]) {
    g.moveTo(x - (upright ? 6 : 0), y - (upright ? 0 : 6));
    g.lineTo(x + (upright ? 6 : 0), y + (upright ? 0 : 6));
  }
  g.stroke();
  g.font = `bold 14px ${look.font}`;
  const wide = g.measureText(mark.name).width;
  const left = clamp(upright ? x0 + 10 : (x0 + x1) / 2 - wide / 2, LEFT + 4, width - RIGHT - wide - 4);
  const middle = !upright ? low - 32 : mark.top ? y1 + 10 : Math.min(y0 + 18, low - 12);       // below what it names: there is room
  g.fillStyle = look.paper;
  g.globalAlpha = 0.85;
  g.fillRect(left - 3, middle - 9, wide + 6, 18);
  g.globalAlpha = 1;
  g.fillStyle = look.ink;
  g.textAlign = "left";
  g.textBaseline = "middle";
  g.fillText(mark.name, left, middle);
}

function legend(node, run, look) {
  node.replaceChildren();
  for (const line of run.lines) {
    const item = el("span", "rtvirt-key", node), swatch = el("canvas", "rtvirt-swatch", item);
    swatch.style.width = "30px";
    const g = fitCanvas(swatch, 30, 12);
    drawLine(g, line, [0, 30], [6, 6], (x) => x, (y) => y, look);
    el("span", "", item, line.name);
  }
}

function render({ model, el: root }) {
  root.classList.add("rtvirt", "rtvirt-curves");
  const canvas = el("canvas", "", root);
  canvas.setAttribute("role", "img");
  const tip = el("div", "rtvirt-tip", root);
  tip.hidden = true;
  const keys = el("div", "rtvirt-legend", el("div", "rtvirt-foot", root));
  let run = null, look = null, width = 0;

  const paint = oncePerFrame(() => {
    width = canvas.clientWidth || root.clientWidth;
    if (width < 40 || !run) return;
    look = look || theme(root);
    draw(canvas, run, width, look);
    legend(keys, run, look);
    canvas.dataset.frame = Number(canvas.dataset.frame || 0) + 1;
  });
  function refresh() {
    const layout = model.get("picture");
    if (!layout.columns) return;
    run = { ...layout, data: unpack(layout.columns, model.get("data")) };
    canvas.setAttribute("aria-label", layout.label);
    paint();
  }
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect(), share = (event.clientX - box.left - LEFT) / (width - LEFT - RIGHT);
    tip.hidden = !run || share < 0 || share > 1;
    if (tip.hidden) return;
    const i = Math.round(share * (run.data.window.length - 1));
    tip.textContent = `window of ${words(run.data.window[i])}: ${run.lines.map((line, k) => `${line.name} ${words(run.data[`line_${k}`][i])}`).join(", ")}`;
    tip.style.left = `${clamp(event.clientX - box.left + 14, 0, Math.max(0, width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${event.clientY - box.top + 18}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  keepKeysOfLists(root);
  return keepTrue(model, root, refresh, paint, () => { look = null; });
}

export default { render };
