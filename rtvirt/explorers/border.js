// A map of two rates with a straight border on it: who is cheaper where. See border.py for what is sent.

const LEFT = 58, RIGHT = 16, TOP = 24, PLOT = 236, AXIS = 42;
const SIDES = [{ colour: "#56B4E9", hatch: "none" }, { colour: "#E69F00", hatch: "diagonal" }];

// The part of a polygon where sign * value is above 0: its corners, and those where an edge crosses the border.
function part(corners, value, sign) {
  const out = [];
  corners.forEach((a, k) => {
    const b = corners[(k + 1) % corners.length], va = sign * value(a), vb = sign * value(b);
    if (va >= 0) out.push(a);
    if (va * vb < 0) out.push([a[0] + ((b[0] - a[0]) * va) / (va - vb), a[1] + ((b[1] - a[1]) * va) / (va - vb)]);
  });
  return out;
}

function area(points) {
  return Math.abs(points.reduce((sum, [x, y], k) => { const [u, v] = points[(k + 1) % points.length]; return sum + x * v - u * y; }, 0)) / 2;
}

function draw(canvas, run, width, look) {
  const low = TOP + PLOT, [xMost, yMost] = run.most;
  const X = (x) => LEFT + (x / xMost) * (width - LEFT - RIGHT), Y = (y) => low - (y / yMost) * PLOT;
  const g = fitCanvas(canvas, width, low + AXIS);
  g.fillStyle = look.paper;
  g.fillRect(0, 0, width, low + AXIS);
  drawPlane(g, run.most, X, Y, { left: LEFT, right: RIGHT, top: TOP, low, width }, { units: [1, 1], steps: [width / 95, 5], titles: run.axes }, look);
  if (run.line) drawSides(g, run, X, Y, width, look); else say(g, run.text, X(xMost / 2), Y(yMost / 2), width, look);
  const [x, y] = [X(run.point[0]), Y(run.point[1])];
  g.beginPath(); g.arc(x, y, 7, 0, 7);
  g.fillStyle = look.ink; g.fill();
  g.strokeStyle = look.paper; g.lineWidth = 2.5; g.stroke();
}

// Both sides, in the map's own unit square for the arithmetic; the border; and names where there is room.
function drawSides(g, run, X, Y, width, look) {
  const [offset, perX, perY] = run.line, [xMost, yMost] = run.most;
  const value = ([x, y]) => offset + perX * x + perY * y;
  const corners = [[0, 0], [xMost, 0], [xMost, yMost], [0, yMost]];
  const sides = [-1, 1].map((sign) => part(corners, value, sign));
  sides.forEach((points, k) => {
    if (points.length < 3) return;
    trace(g, points, X, Y);
    g.globalAlpha = 0.35;
    g.fillStyle = hatched(g, SIDES[k].colour, SIDES[k].hatch);
    g.fill();
    g.globalAlpha = 1;
  });
  const border = sides[0].filter((a) => Math.abs(value(a)) < 1e-9 * (Math.abs(offset) + Math.abs(perX) * xMost + Math.abs(perY) * yMost));
  if (border.length > 1) {
    trace(g, border, X, Y);
    g.strokeStyle = look.ink;
    g.lineWidth = 2.75;
    g.stroke();
  }
  sides.forEach((points, k) => {
    if (area(points) < 0.04 * xMost * yMost) return;
    const deepest = corners.reduce((a, b) => ((k ? 1 : -1) * (value(b) - value(a)) > 0 ? b : a));      // away from the border, and from the other name
    const [x, y] = [0, 1].map((i) => (points.reduce((sum, p) => sum + p[i], 0) / points.length + deepest[i]) / 2);
    say(g, `${run.names[k]} is cheaper`, X(x), Y(y), width, look);
  });
}

function trace(g, points, X, Y) {
  g.beginPath();
  points.forEach(([x, y], k) => g[k ? "lineTo" : "moveTo"](X(x), Y(y)));
  if (points.length > 2) g.closePath();
}

// Words on the paper's colour, kept within the plot, broken into lines where they are too long.
function say(g, text, x, y, width, look) {
  g.font = `bold 14px ${look.font}`;
  const lines = [""];
  for (const word of text.split(" ")) {
    if (g.measureText(`${lines[lines.length - 1]} ${word}`).width > 0.45 * (width - LEFT - RIGHT)) lines.push("");
    lines[lines.length - 1] += `${lines[lines.length - 1] ? " " : ""}${word}`;
  }
  const wide = Math.max(...lines.map((one) => g.measureText(one).width));
  const middle = clamp(x, LEFT + wide / 2 + 8, width - RIGHT - wide / 2 - 8), top = clamp(y - 10 * lines.length, TOP + 4, TOP + PLOT - 20 * lines.length - 4);
  g.fillStyle = look.paper;
  g.globalAlpha = 0.85;
  g.fillRect(middle - wide / 2 - 5, top, wide + 10, 20 * lines.length);
  g.globalAlpha = 1;
  g.fillStyle = look.ink;
  g.textAlign = "center";
  g.textBaseline = "middle";
  lines.forEach((one, k) => g.fillText(one, middle, top + 20 * k + 10));
}

function render({ model, el: root }) {
  keepKeysOfLists(root);
  return showPicture(model, root, "rtvirt-border", draw);
}

export default { render };
