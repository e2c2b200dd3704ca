// A message's way over the lanes of a timeline: where it waited, where it was served, when it went on. See way.py for what is sent.

const TRACK_HEAD = 22, WAY = ["not known yet", "waits", "served"];

// Height of the way in a lane: above the stints of a vCPU, in the middle of the hardware's lane.
function wayHeight(lane) { return lane.hardware ? lane.y + lane.height / 2 : lane.y - 6; }

function laneOfWay(run, lanes, k) { return lanes.find((lane) => (k < run.vcpus.length ? lane.vcpu === k : lane.hardware)); }

function drawWay(g, run, lanes, view, X, look) {
  const { legs, hops, marks } = run.way;
  for (const [k, kind, start, end] of legs) {
    const y = wayHeight(laneOfWay(run, lanes, k));
    drawLeg(g, kind, Math.max(X(start), -50), y, Math.min(X(end), view.plot + 500), look);
  }
  for (const [from, to, time] of hops) drawHop(g, X(time), wayHeight(laneOfWay(run, lanes, from)), wayHeight(laneOfWay(run, lanes, to)), look);
  const ends = {};
  g.font = `bold 13px ${look.font}`;
  g.textBaseline = "middle";
  g.textAlign = "left";
  for (const [k, time, name] of marks) {          // names that would hide one another are put side by side; what is left of them is their number
    const lane = laneOfWay(run, lanes, k), y = lane.hardware ? lane.y + 5 : lane.y - 15;
    const text = ends[k] === undefined ? name : ends[k] > X(time) + 2 ? name.split(" ")[0] : name;
    const left = Math.max(X(time) + 3, ends[k] ?? -1e9), wide = g.measureText(text).width;
    g.fillStyle = look.paper;
    if (lane.hardware) g.fillRect(left - 2, y - 7, wide + 4, 14);
    g.fillStyle = look.ink;
    g.fillText(text, left, y);
    ends[k] = left + wide + 6;
  }
}

function drawLeg(g, kind, from, y, to, look) {
  g.strokeStyle = look.ink;
  g.lineWidth = [2, 2, 6][kind];
  g.setLineDash([[2, 4], [8, 4], []][kind]);
  g.beginPath();
  g.moveTo(from, y);
  g.lineTo(kind === 2 ? Math.max(to, from + 2) : to, y);
  g.stroke();
  g.setLineDash([]);
}

function drawHop(g, x, from, to, look) {
  const down = Math.sign(to - from), tip = to - 3 * down;
  for (const [colour, width] of [[look.paper, 6], [look.ink, 2.25]]) {
    g.strokeStyle = colour;
    g.lineWidth = width;
    g.beginPath();
    g.moveTo(x, from);
    g.lineTo(x, tip - 6 * down);
    g.stroke();
  }
  g.fillStyle = look.ink;
  g.beginPath();
  g.moveTo(x, tip);
  g.lineTo(x - 5.5, tip - 10 * down);
  g.lineTo(x + 5.5, tip - 10 * down);
  g.fill();
}

// What lies under the pointer, in words; null beside the way.
function describeWay(run, lanes, t, y) {
  for (const [k, kind, start, end] of run.way.legs) {
    if (t < start || t > end || Math.abs(y - wayHeight(laneOfWay(run, lanes, k))) > 7) continue;
    const at = run.way.marks.filter(([lane, from]) => lane === k && from <= start).pop();
    return `${at ? at[2] : ""}: ${WAY[kind]} for ${words(end - start)}, ${words(start)} to ${words(end)}`;
  }
  return null;
}

function legendOfWay(node, look) {
  WAY.forEach((text, kind) => {
    const item = el("span", "rtvirt-key", node), swatch = el("canvas", "rtvirt-swatch", item);
    swatch.style.width = "26px";
    drawLeg(fitCanvas(swatch, 26, 12), kind, 1, 6, 25, look);
    el("span", "", item, `message ${text}`);
  });
}
