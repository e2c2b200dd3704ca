// Contracts by what they promise and what they cost: all of a grid, the front, the chosen one, what was seen of it. See front.py for what is sent.

const LEFT = 58, RIGHT = 16, TOP = 26, PLOT = 360, AXIS = 42;
const AXES = { units: [1e6, 1], titles: ["longest response [ms]", "share of a pCPU [%], switches included"] };

function draw(canvas, run, width, look) {
  const low = TOP + PLOT, [xMost, yMost] = run.most;
  const X = (x) => LEFT + (x / xMost) * (width - LEFT - RIGHT), Y = (y) => low - (y / yMost) * PLOT;
  const g = fitCanvas(canvas, width, low + AXIS);
  g.fillStyle = look.paper;
  g.fillRect(0, 0, width, low + AXIS);
  drawPlane(g, run.most, X, Y, { left: LEFT, right: RIGHT, top: TOP, low, width }, { ...AXES, steps: [(width - LEFT) / 95, 6] }, look);
  g.save();
  g.beginPath();
  g.rect(LEFT, TOP - 8, width - LEFT - RIGHT + 8, PLOT + 8);
  g.clip();
  drawDominated(g, run, X, Y, look);
  drawFront(g, run, X, Y, width, look);
  g.restore();
  drawDeadline(g, run, X, low, width, look);
  if (run.chosen) drawChosen(g, run, X, Y, width, look);
}

function drawDominated(g, run, X, Y, look) {
  const { x, y } = run.data;
  g.fillStyle = MEANING.hypervisor.colour;
  g.globalAlpha = 0.45;
  for (let i = 0; i < x.length; i++) g.fillRect(X(x[i]) - 1.5, Y(y[i]) - 1.5, 3, 3);
  g.globalAlpha = 1;
}

// A staircase: between two of its contracts the slower one is the best that one can buy.
function drawFront(g, run, X, Y, width, look) {
  const x = run.data.front_x, y = run.data.front_y;
  g.strokeStyle = g.fillStyle = look.ink;
  g.lineWidth = 2.75;
  g.lineJoin = "round";
  g.beginPath();
  for (let i = 0; i < x.length; i++) {
    if (i) g.lineTo(X(x[i]), Y(y[i - 1]));
    g[i ? "lineTo" : "moveTo"](X(x[i]), Y(y[i]));
  }
  if (x.length) g.lineTo(width, Y(y[x.length - 1]));
  g.stroke();
}

function drawDeadline(g, run, X, low, width, look) {
  const x = X(run.deadline);
  g.strokeStyle = MISS;
  g.lineWidth = 2;
  g.setLineDash([7, 5]);
  g.beginPath(); g.moveTo(x, TOP); g.lineTo(x, low); g.stroke();
  g.setLineDash([]);
  name(g, `deadline ${words(run.deadline)}`, x - 8, TOP + 12, "right", width, look);
}

// The bound, filled, and what was seen of the same contract, hollow; a line between them.
function drawChosen(g, run, X, Y, width, look) {
  const [bound, share] = run.chosen, y = Y(share), x = X(bound);
  g.strokeStyle = g.fillStyle = look.realTime;
  g.lineWidth = 2.5;
  if (run.seen !== null) {
    const left = X(run.seen);
    g.beginPath(); g.moveTo(left, y); g.lineTo(x, y); g.stroke();
    g.beginPath(); g.arc(left, y, 6.5, 0, 7);
    g.fillStyle = look.paper; g.fill(); g.stroke();
    name(g, `seen ${words(run.seen)}`, left, y + 20, "center", width, look);
  }
  g.beginPath(); g.arc(x, y, 7.5, 0, 7);
  g.fillStyle = look.realTime; g.fill();
  g.strokeStyle = look.paper; g.stroke();
  name(g, `bound ${words(bound)}`, x, y - 20, "center", width, look);
}

// Words on the paper's colour, kept within the plot.
function name(g, text, x, y, align, width, look) {
  g.font = `bold 14px ${look.font}`;
  const wide = g.measureText(text).width, start = align === "right" ? x - wide : x - wide / 2;
  const left = clamp(start, LEFT + 4, width - RIGHT - wide - 4), middle = clamp(y, TOP + 10, TOP + PLOT - 10);
  g.fillStyle = look.paper;
  g.globalAlpha = 0.85;
  g.fillRect(left - 3, middle - 9, wide + 6, 18);
  g.globalAlpha = 1;
  g.fillStyle = look.ink;
  g.textAlign = "left";
  g.textBaseline = "middle";
  g.fillText(text, left, middle);
}

function render({ model, el: root }) {
  keepKeysOfLists(root);
  return showPicture(model, root, "rtvirt-front", (canvas, picture, width, look) =>
    draw(canvas, { ...picture, data: unpack(picture.columns, model.get("data")) }, width, look));
}

export default { render };
