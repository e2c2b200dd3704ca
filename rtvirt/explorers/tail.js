// The tail of a distribution of waits: how large a share waits longer than any given time. See tail.py for what is sent.

const LEFT = 92, RIGHT = 10, ROW = 18, PLOT = 144, AXIS = 30, LINEAR = 1e4, LINEAR_WIDTH = 0.5, LONGEST = 2e9, LEAST = 5e-4;
const DECADES = LINEAR_WIDTH + Math.log10(LONGEST / LINEAR);

// Where a time [ns] lies on the axis, from 0 to 1: linear up to 10 us, logarithmic beyond.
function along(t) {
  return (t <= LINEAR ? (LINEAR_WIDTH * t) / LINEAR : LINEAR_WIDTH + Math.log10(Math.min(t, LONGEST) / LINEAR)) / DECADES;
}

function backwards(x) {
  const d = clamp(x, 0, 1) * DECADES;
  return d <= LINEAR_WIDTH ? (d / LINEAR_WIDTH) * LINEAR : LINEAR * 10 ** (d - LINEAR_WIDTH);
}

function nameFont(limit, look) { return `${limit.meaning === "rule" ? "" : "bold "}13px ${look.font}`; }

// Names of limits go in rows above the plot, so that none hides another.
function placeNames(g, limits, X, width, look) {
  const ends = [];
  return [...limits].sort((a, b) => a.time - b.time).map((limit) => {
    g.font = nameFont(limit, look);
    const wide = g.measureText(limit.name).width, x = X(limit.time), left = x + 6 + wide > width - RIGHT ? x - 6 - wide : x + 6;
    let row = 0;
    while (ends[row] !== undefined && ends[row] > Math.min(left, x) - 8) row++;
    ends[row] = left + wide;
    return { ...limit, x, left, wide, row };
  });
}

function draw(canvas, run, width, look) {
  const plot = width - LEFT - RIGHT, X = (t) => LEFT + along(t) * plot;
  const rows = Math.max(1, run.limits.length), top = rows * ROW + 4, height = top + PLOT + AXIS;
  const Y = (share) => top + (Math.log10(1 / Math.max(share, LEAST)) / Math.log10(1 / LEAST)) * PLOT;
  const g = fitCanvas(canvas, width, height);
  g.fillStyle = look.paper;
  g.fillRect(0, 0, width, height);
  drawAxes(g, X, Y, top, width, run.verb, look);
  const limits = placeNames(g, run.limits, X, width, look);
  for (const limit of limits) if (limit.meaning === "miss") {
    g.fillStyle = MISS;
    g.globalAlpha = 0.13;
    g.fillRect(limit.x, top, width - RIGHT - limit.x, PLOT);
    g.globalAlpha = 1;
  }
  drawCurve(g, run, X, Y, top, look);
  for (const limit of limits) drawLimit(g, limit, top, look);
  for (const limit of limits) nameLimit(g, limit, look);       // after all lines: they must not cross a name
  if (run.picked !== null) drawPicked(g, run, X, Y, look);
  if (!run.data.time || !run.data.time.length) {
    g.fillStyle = look.ink;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.font = `15px ${look.font}`;
    g.fillText(run.facts, LEFT + plot / 2, top + PLOT / 2);
  }
}

function drawAxes(g, X, Y, top, width, verb, look) {
  const low = top + PLOT;
  g.lineWidth = 1;
  g.font = `13px ${look.font}`;
  g.textBaseline = "top";
  g.textAlign = "center";
  const line = (x0, y0, x1, y1, colour) => { g.strokeStyle = colour; g.beginPath(); g.moveTo(x0, y0); g.lineTo(x1, y1); g.stroke(); };
  for (let decade = LINEAR; decade < LONGEST; decade *= 10) {
    for (let k = 2; k < 10 && k * decade <= LONGEST; k++) {
      const x = Math.round(X(k * decade)) + 0.5;
      line(x, low, x, low + 3, look.soft);
    }
  }
  for (const t of [0, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]) {
    const x = Math.round(X(t)) + 0.5;
    line(x, top, x, low + 6, look.grid);
    g.fillStyle = look.ink;
    g.fillText(t ? words(t) : "0", x, low + 8);
  }
  g.fillStyle = look.soft;
  g.textAlign = "right";
  g.fillText("latency", LEFT - 12, low + 8);
  g.textBaseline = "middle";
  for (const [share, text] of [[1, "100 %"], [0.1, "10 %"], [0.01, "1 %"], [0.001, "0.1 %"]]) {
    const y = Math.round(Y(share)) + 0.5;
    line(LEFT, y, width - RIGHT, y, look.grid);
    g.fillStyle = look.ink;
    g.fillText(text, LEFT - 8, y);
  }
  g.textAlign = "right";
  g.fillStyle = look.soft;
  g.fillText(verb, LEFT - 8, top - ROW / 2 - 3);
}

function drawCurve(g, run, X, Y, top, look) {
  const { time, share } = run.data;
  if (!time || !time.length) return;
  const low = top + PLOT;
  const trace = () => {
    g.beginPath();
    g.moveTo(X(0), Y(1));
    let above = 1;
    for (let i = 0; i < time.length; i++) {
      const x = X(time[i]);
      g.lineTo(x, Y(above));
      above = share[i];
      g.lineTo(x, above > 0 ? Y(above) : low);
    }
  };
  trace();
  g.lineTo(X(0), low);
  g.closePath();
  g.fillStyle = look.realTime;
  g.globalAlpha = 0.16;
  g.fill();
  g.globalAlpha = 1;
  trace();
  g.strokeStyle = look.realTime;
  g.lineWidth = 2.75;
  g.lineJoin = "round";
  g.stroke();
}

function middleOf(row) { return row * ROW + ROW / 2 + 2; }

function drawLimit(g, limit, top, look) {
  const miss = limit.meaning === "miss", bound = limit.meaning === "bound";
  g.strokeStyle = miss ? MISS : bound ? look.ink : look.soft;
  g.lineWidth = miss ? 2.25 : bound ? 2.75 : 1.5;
  g.setLineDash(miss ? [] : bound ? [9, 5] : [5, 4]);
  g.beginPath();
  g.moveTo(limit.x, middleOf(limit.row) - 6);
  g.lineTo(limit.x, top + PLOT);
  g.stroke();
  g.setLineDash([]);
}

function nameLimit(g, limit, look) {
  const y = middleOf(limit.row);
  g.font = nameFont(limit, look);
  g.fillStyle = look.paper;
  g.fillRect(limit.left - 3, y - ROW / 2 + 1, limit.wide + 6, ROW - 2);
  g.fillStyle = look.ink;
  g.textAlign = "left";
  g.textBaseline = "middle";
  g.fillText(limit.name, limit.left, y);
}

// The share that takes at least as long as a time, as the curve's upper edge has it there.
function shareAt(run, t) {
  const { time, share } = run.data;
  const i = time.indexOf(t);
  return i > 0 ? share[i - 1] : 1;
}

function drawPicked(g, run, X, Y, look) {
  g.beginPath();
  g.arc(X(run.picked), Y(shareAt(run, run.picked)), 7, 0, 7);
  g.fillStyle = look.ink;
  g.strokeStyle = look.paper;
  g.lineWidth = 2.5;
  g.fill();
  g.stroke();
}

function render({ model, el: root }) {
  root.classList.add("rtvirt", "rtvirt-tail");
  const canvas = el("canvas", "", root);
  canvas.setAttribute("role", "img");
  const tip = el("div", "rtvirt-tip", root);
  tip.hidden = true;
  const foot = el("div", "rtvirt-foot", root);
  let run = { limits: [], data: {} }, look = null, width = 0;

  function choose(i) {
    const { time } = run.data;
    if (run.picked === null || !time.length) return;
    model.set("chosen", time[clamp(i, 0, time.length - 1)]);
    model.save_changes();
  }
  canvas.addEventListener("keydown", (event) => {
    if (run.picked === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = run.data.time.indexOf(run.picked), many = Math.max(1, Math.round(run.data.time.length / 20));
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, PageUp: here - many, PageDown: here + many, Home: 0, End: run.data.time.length }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(to);
  });
  canvas.addEventListener("click", (event) => {
    if (run.picked === null) return;
    const at = (time) => Math.abs(along(time) - (event.clientX - canvas.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT));
    choose(run.data.time.reduce((best, time, i) => (at(time) < at(run.data.time[best]) ? i : best), 0));
  });

  const paint = oncePerFrame(() => {
    width = canvas.clientWidth || root.clientWidth;
    if (width < 40) return;
    look = look || theme(root);
    draw(canvas, run, width, look);
    canvas.dataset.frame = Number(canvas.dataset.frame || 0) + 1;
  });
  function refresh() {
    const layout = model.get("picture");
    if (!layout.columns) return;
    run = { ...layout, data: unpack(layout.columns, model.get("data")) };
    canvas.setAttribute("aria-label", layout.label);
    if (layout.picked !== null) {
      canvas.tabIndex = 0;
      canvas.dataset.lmSuppressShortcuts = "true";
      canvas.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight Home End");
      canvas.style.cursor = "pointer";
    }
    foot.textContent = layout.facts;
    paint();
  }
  canvas.addEventListener("pointermove", (event) => {
    const x = event.clientX - canvas.getBoundingClientRect().left;
    const { time, share } = run.data;
    tip.hidden = x < LEFT || !time || !time.length;
    if (tip.hidden) return;
    const t = backwards((x - LEFT) / (width - LEFT - RIGHT));
    const longer = time.reduce((found, at, i) => (at <= t ? share[i] : found), 1);
    tip.textContent = `${Number((100 * longer).toPrecision(3))} % ${run.verb} than ${words(Number(t.toPrecision(2)))}`;
    tip.style.left = `${clamp(x + 14, 0, Math.max(0, width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${event.clientY - canvas.getBoundingClientRect().top + 18}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  keepKeysOfLists(root);
  return keepTrue(model, root, refresh, paint, () => { look = null; });
}

export default { render };
