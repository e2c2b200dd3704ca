// Drawing of the timeline: decoded columns and a view in, pixels out. Nothing here listens to anything.

const LEFT = 92, RIGHT = 10, TOP = 4, LANE = 24, GAP = 5, TRACK = 112, AXIS = 34;
const KINDS = ["release", "deadline", "miss", "boost", "park", "steal"];

function decode(model) {
  const layout = model.get("picture");
  const data = unpack(layout.columns || [], model.get("data"));
  const groups = (keys, count) => {
    const rows = Array.from({ length: count }, () => []);
    for (let i = 0; i < keys.length; i++) rows[keys[i]].push(i);
    return rows;
  };
  const vcpus = (layout.vcpus || []).length;
  return { ...layout, data,
    onCpu: groups(data.slice_cpu || [], layout.cpus || 0), ofVcpu: groups(data.slice_vcpu || [], vcpus),
    waits: groups(data.wait_vcpu || [], vcpus), markers: groups(data.mark_vcpu || [], vcpus),
    points: groups(data.point_curve || [], (layout.curves || []).length) };
}

function lanesOf(run) {
  let y = TOP;
  const lanes = [];
  const visited = new Set(run.way ? run.way.legs.map((leg) => leg[0]) : []);
  const add = (lane, height) => { lanes.push({ ...lane, y, height }); y += height + GAP; };
  for (let p = 0; p < run.cpus; p++) add({ label: run.cpus > 1 ? `pCPU ${p}` : "pCPU", cpu: p }, LANE);
  run.vcpus.forEach((v, i) => {
    if (visited.has(i)) y += TRACK_HEAD;            // room for the message above the stints
    add({ label: v.name, vcpu: i }, LANE);
  });
  if (run.way) add({ label: run.way.hardware, hardware: true }, LANE);
  if (run.curves.length) add({ label: run.curve_label, track: true }, TRACK);
  return { lanes, height: y + AXIS };
}

function draw(g, run, view, width, look) {
  const { lanes, height } = lanesOf(run);
  const plot = width - LEFT - RIGHT;
  const X = (t) => LEFT + ((t - view.from) / (view.to - view.from)) * plot;
  g.fillStyle = look.paper;
  g.fillRect(0, 0, width, height);
  drawAxis(g, view, X, width, height, look);
  g.textBaseline = "middle";
  for (const lane of lanes) {
    g.fillStyle = look.lane;
    if (!lane.track) g.fillRect(LEFT, lane.y, plot, lane.height);
    g.fillStyle = look.ink;
    g.font = `13px ${look.font}`;
    g.textAlign = "right";
    g.fillText(fitText(g, lane.label, LEFT - 14), LEFT - 8, lane.y + (lane.track ? 10 : lane.height / 2));
  }
  g.save();
  g.beginPath();
  g.rect(LEFT, 0, plot, height);
  g.clip();
  for (const lane of lanes) {
    if (lane.cpu !== undefined) drawSlices(g, run, run.onCpu[lane.cpu], lane, view, X, look, true);
    else if (lane.vcpu !== undefined) {
      drawWaits(g, run, run.waits[lane.vcpu], lane, view, X, look);
      drawSlices(g, run, run.ofVcpu[lane.vcpu], lane, view, X, look, false);
    }
  }
  for (const lane of lanes) if (lane.vcpu !== undefined) drawMarkers(g, run, run.markers[lane.vcpu], lane, view, X, look);
  for (const lane of lanes) if (lane.track) drawTrack(g, run, lane, view, X, width, look);
  if (run.way) drawWay(g, run, lanes, view, X, look);
  g.restore();
  for (const lane of lanes) if (lane.track) labelTrack(g, run, lane, look);
  return height;
}

function fitText(g, text, width) {
  if (g.measureText(text).width <= width) return text;
  while (text.length > 1 && g.measureText(`${text}…`).width > width) text = text.slice(0, -1);
  return `${text}…`;
}

function drawAxis(g, view, X, width, height, look) {
  const step = Math.max(1, niceStep(view.to - view.from, (width - LEFT) / 95));
  const [unit, scale] = view.to >= 1e10 ? UNITS[0] : step >= 1e5 ? UNITS[1] : step >= 100 ? UNITS[2] : UNITS[3];
  const y = height - AXIS + 2;
  g.font = `13px ${look.font}`;
  g.textAlign = "center";
  g.textBaseline = "top";
  for (let t = Math.ceil(view.from / step) * step; t <= view.to + step * 1e-6; t += step) {
    const x = Math.round(X(t)) + 0.5;
    g.strokeStyle = look.grid;
    g.lineWidth = 1;
    g.beginPath(); g.moveTo(x, 0); g.lineTo(x, y + 3); g.stroke();
    g.fillStyle = look.ink;
    const text = `${Number((t / scale).toPrecision(9))}`;
    const half = g.measureText(text).width / 2;
    g.fillText(text, clamp(x, LEFT + half - 6, width - half - 2), y + 5);
  }
  g.textAlign = "right";
  g.fillStyle = look.soft;
  g.fillText(`time [${unit}]`, LEFT - 12, y + 5);
}

// Stints, in time order. Those narrower than a pixel are gathered: a column's height then shows the share of each meaning.
function drawSlices(g, run, rows, lane, view, X, look, named) {
  const { slice_start: start, slice_end: end, slice_vcpu: vcpu } = run.data;
  const y = lane.y + 1, h = lane.height - 2;
  let column = -1, shares = null;
  const flush = () => {
    if (!shares) return;
    let from = y + h;
    for (const meaning in shares) {
      const part = Math.min(1, shares[meaning]) * h;
      g.fillStyle = MEANING[meaning].colour;
      g.fillRect(column, from - part, 1, part);
      from -= part;
    }
    shares = null;
  };
  for (let k = upper(end, view.from, rows); k < rows.length; k++) {
    const i = rows[k];
    if (start[i] >= view.to) break;
    const x0 = X(start[i]), x1 = X(end[i]);
    const { meaning, name } = run.vcpus[vcpu[i]];
    if (x1 - x0 < 1) {
      const at = Math.floor(x0);
      if (at !== column) { flush(); column = at; }
      shares = shares || {};
      shares[meaning] = (shares[meaning] || 0) + (x1 - x0);
      continue;
    }
    flush();
    column = -1;
    g.fillStyle = fill(g, meaning);
    g.fillRect(x0, y, x1 - x0, h);
    if (x1 - x0 >= 3) {
      g.fillStyle = look.paper;
      g.fillRect(x1 - 0.5, y, 0.5, h);
    }
    const left = Math.max(x0, LEFT), room = Math.min(x1, LEFT + view.plot) - left;
    if (named && room > 34) {
      g.font = `12px ${look.font}`;
      const text = fitText(g, name, room - 12), w = g.measureText(text).width;
      if (text.length > 1 && w <= room - 10) {
        const middle = left + room / 2;
        g.fillStyle = MEANING[meaning].colour;
        g.fillRect(middle - w / 2 - 3, y + 3, w + 6, h - 6);
        g.fillStyle = MEANING[meaning].ink;
        g.textAlign = "center";
        g.textBaseline = "middle";
        g.fillText(text, middle, y + h / 2 + 0.5);
      }
    }
  }
  flush();
}

// Runnable but not running: a thin line in the middle of the lane, so that waiting is seen as waiting.
function drawWaits(g, run, rows, lane, view, X, look) {
  const { wait_start: start, wait_end: end } = run.data;
  const y = lane.y + lane.height / 2;
  g.fillStyle = look.ink;
  let last = -1;
  for (let k = upper(end, view.from, rows); k < rows.length; k++) {
    const i = rows[k];
    if (start[i] >= view.to) break;
    const x0 = Math.max(X(start[i]), last), x1 = Math.max(X(end[i]), X(start[i]) + 0.75);
    if (x1 <= last) continue;
    g.fillRect(x0, y - 1.25, x1 - x0, 2.5);
    last = x1;
  }
}

// Up arrow: a job is released; down arrow: its deadline; cross: missed; diamond: boosted; bar: parked; ring: stolen.
function drawMarkers(g, run, rows, lane, view, X, look) {
  const { mark_time: time, mark_kind: kind } = run.data;
  const from = Math.max(0, upper(time, view.from, rows) - 1), pixel = (view.to - view.from) / view.plot;
  let to = from;
  const seen = new Array(KINDS.length).fill(0);
  for (; to < rows.length && time[rows[to]] <= view.to; to++) seen[kind[rows[to]]]++;
  const last = new Array(KINDS.length).fill(-1e9);
  for (const pass of [false, true]) {              // misses last: nothing may hide them
    for (let k = from; k < to; k++) {
      const i = rows[k], what = KINDS[kind[i]];
      if ((what === "miss") !== pass) continue;
      const crowded = seen[kind[i]] * 9 > view.plot;
      const x = X(time[i]);
      if (x - last[kind[i]] < (crowded ? 3 : 1)) continue;
      last[kind[i]] = x;
      mark(g, what, x, lane, crowded && pixel > 0, look);
    }
  }
}

function mark(g, what, x, lane, small, look) {
  const top = lane.y, low = lane.y + lane.height, size = small ? 2.5 : 5;
  g.lineWidth = 1.5;
  g.beginPath();
  if (what === "release") {
    g.fillStyle = look.ink;
    g.moveTo(x - size, low + 3); g.lineTo(x + size, low + 3); g.lineTo(x, low - size); g.fill();
  } else if (what === "deadline") {
    g.fillStyle = look.paper;
    g.strokeStyle = look.ink;
    g.moveTo(x - size, top - 2); g.lineTo(x + size, top - 2); g.lineTo(x, top + size); g.closePath();
    g.fill(); g.stroke();
  } else if (what === "miss") {
    const r = small ? 4 : 6, y = (top + low) / 2;
    g.lineCap = "round";
    for (const [colour, width] of [[look.paper, 6], [MISS, 3]]) {
      g.strokeStyle = colour;
      g.lineWidth = width;
      g.beginPath();
      g.moveTo(x - r, y - r); g.lineTo(x + r, y + r); g.moveTo(x - r, y + r); g.lineTo(x + r, y - r);
      g.stroke();
    }
    g.lineCap = "butt";
  } else if (what === "boost") {
    const y = low - 5, r = small ? 2.5 : 4.5;
    g.fillStyle = BOOST;
    g.strokeStyle = look.ink;
    g.lineWidth = 1;
    g.moveTo(x, y - r); g.lineTo(x + r, y); g.lineTo(x, y + r); g.lineTo(x - r, y); g.closePath();
    g.fill(); g.stroke();
  } else if (what === "park") {
    g.fillStyle = look.ink;
    g.fillRect(x - 3, top + 5, 2, lane.height - 10);
    g.fillRect(x + 1, top + 5, 2, lane.height - 10);
  } else {
    g.strokeStyle = look.ink;
    g.arc(x, (top + low) / 2, small ? 2 : 4, 0, 7); g.stroke();
  }
}

function drawTrack(g, run, lane, view, X, width, look) {
  const [low, high] = run.curve_range;
  const Y = (v) => lane.y + 4 + (1 - (v - low) / (high - low)) * (lane.height - 8);
  g.lineWidth = 1;
  for (const tick of run.curve_ticks) {
    g.strokeStyle = tick === 0 ? look.soft : look.grid;
    const y = Math.round(Y(tick)) + 0.5;
    g.beginPath(); g.moveTo(LEFT, y); g.lineTo(width - RIGHT, y); g.stroke();
  }
  const { point_time: time, point_value: value } = run.data;
  run.curves.forEach((curve, c) => {
    const rows = run.points[c];
    g.strokeStyle = curve.meaning === "real-time" ? look.realTime : MEANING[curve.meaning].colour;
    g.lineWidth = 2.25;
    g.setLineDash([[], [7, 3], [2, 3], [9, 3, 2, 3]][curve.dash % 4]);
    g.beginPath();
    let column = NaN;
    for (let k = Math.max(0, upper(time, view.from, rows) - 1); k < rows.length; k++) {
      const x = X(time[rows[k]]), y = Y(value[rows[k]]);
      if (Number.isNaN(column)) g.moveTo(x, y); else g.lineTo(x, y);
      column = x;
      if (time[rows[k]] > view.to) break;
    }
    g.stroke();
  });
  g.setLineDash([]);
}

function labelTrack(g, run, lane, look) {
  const [low, high] = run.curve_range;
  g.textAlign = "right";
  g.textBaseline = "middle";
  g.font = `12px ${look.font}`;
  g.fillStyle = look.soft;
  const Y = (v) => lane.y + 4 + (1 - (v - low) / (high - low)) * (lane.height - 8);
  for (const tick of run.curve_ticks) if (Math.abs(Y(tick) - lane.y - 10) > 13) g.fillText(`${tick}`, LEFT - 8, Y(tick));
}

// What lies under the pointer, in words.
function describe(run, view, x, y) {
  const { lanes } = lanesOf(run), lane = lanes.find((l) => y >= l.y - 3 && y <= l.y + l.height + 3);
  const t = view.from + ((x - LEFT) / view.plot) * (view.to - view.from), passing = run.way && x >= LEFT ? describeWay(run, lanes, t, y) : null;
  if (passing || !lane || x < LEFT) return passing;
  const near = 6 * (view.to - view.from) / view.plot;
  const d = run.data;
  if (lane.vcpu !== undefined) {
    const rows = run.markers[lane.vcpu];
    let best = -1;
    for (let k = upper(d.mark_time, t - near, rows); k < rows.length && d.mark_time[rows[k]] <= t + near; k++) {
      const i = rows[k];
      if (best < 0 || KINDS[d.mark_kind[i]] === "miss") best = i;
    }
    if (best >= 0) {
      const at = words(d.mark_time[best]), what = KINDS[d.mark_kind[best]], value = d.mark_value[best];
      const name = run.vcpus[lane.vcpu].name;
      if (what === "miss") return value < 0 ? `${name}: deadline ${at} missed, never finished` : `${name}: deadline ${at} missed by ${words(value)}`;
      if (what === "release") return `${name}: job released at ${at}`;
      if (what === "deadline") return `${name}: deadline at ${at}`;
      if (what === "boost") return `${name}: boosted at ${at}, ${value} credits`;
      if (what === "park") return `${name}: parked by its cap at ${at}`;
      return `${name}: stolen from pCPU ${value} at ${at}`;
    }
  }
  if (lane.track || lane.hardware) return `${words(t)}`;
  const rows = lane.cpu !== undefined ? run.onCpu[lane.cpu] : run.ofVcpu[lane.vcpu];
  const i = rows[upper(d.slice_end, t, rows)];
  if (i !== undefined && d.slice_start[i] <= t) {
    const where = run.cpus > 1 ? ` on pCPU ${d.slice_cpu[i]}` : "";
    return `${run.vcpus[d.slice_vcpu[i]].name} runs${where} for ${words(d.slice_end[i] - d.slice_start[i])}: ${words(d.slice_start[i])} to ${words(d.slice_end[i])}`;
  }
  if (lane.vcpu !== undefined) {
    const waits = run.waits[lane.vcpu], w = waits[upper(d.wait_end, t, waits)];
    if (w !== undefined && d.wait_start[w] <= t) return `${run.vcpus[lane.vcpu].name} waits for a pCPU for ${words(d.wait_end[w] - d.wait_start[w])}, from ${words(d.wait_start[w])}`;
    return `${run.vcpus[lane.vcpu].name}: nothing to do`;
  }
  return `idle at ${words(t)}`;
}

function legend(node, run, look) {
  const used = new Set(run.vcpus.map((v) => v.meaning));
  const kinds = new Set(Array.from(run.data.mark_kind || [], (k) => KINDS[k]));
  const key = [...used].join() + [...kinds].sort().join() + Boolean(run.way);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.replaceChildren();
  for (const meaning of Object.keys(MEANING)) if (used.has(meaning)) {
    const item = el("span", "rtvirt-key", node);
    const swatch = el("canvas", "rtvirt-swatch", item);
    swatch.style.width = "18px";
    const g = fitCanvas(swatch, 18, 12);
    g.fillStyle = fill(g, meaning);
    g.fillRect(0, 0, 18, 12);
    el("span", "", item, meaning);
  }
  const item = el("span", "rtvirt-key", node);
  el("span", "rtvirt-wait", item);
  el("span", "", item, "waits");
  const texts = { release: ["▲", "release"], deadline: ["▽", "deadline"], miss: ["✕", "missed"], boost: ["◆", "boost"], park: ["‖", "parked"], steal: ["○", "stolen"] };
  for (const kind of KINDS) if (kinds.has(kind)) {
    const mark = el("span", "rtvirt-key", node);
    el("span", `rtvirt-mark rtvirt-${kind}`, mark, texts[kind][0]);
    el("span", "", mark, texts[kind][1]);
  }
  if (run.way) legendOfWay(node, look);
}
