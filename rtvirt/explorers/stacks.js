// Stacked bars, one below the other, each under its name. See stacks.py for what is sent.

const LEFT = 10, RIGHT = 16, TOP = 4, NAME = 21, BAR = 25, GAP = 9, AXIS = 42;

function draw(canvas, run, width, look) {
  const low = TOP + run.bars.length * (NAME + BAR + GAP), height = low + AXIS;
  const X = (value) => LEFT + ((clamp(value, run.least, run.most) - run.least) / (run.most - run.least)) * (width - LEFT - RIGHT);
  const g = fitCanvas(canvas, width, height);
  g.fillStyle = look.paper;
  g.fillRect(0, 0, width, height);
  drawAxis(g, run, X, width, low, look);
  run.bars.forEach((bar, k) => drawBar(g, bar, run, X, TOP + k * (NAME + BAR + GAP), width, look));
}

function drawAxis(g, run, X, width, low, look) {
  g.font = `13px ${look.font}`;
  g.lineWidth = 1;
  g.textBaseline = "top";
  g.textAlign = "center";
  const step = niceStep(run.most - run.least, width / 95);
  for (let k = Math.ceil(run.least / step); k * step <= run.most * 1.0001; k++) {
    const x = Math.round(X(k * step)) + 0.5;
    g.strokeStyle = k ? look.grid : look.ink;
    g.beginPath(); g.moveTo(x, TOP); g.lineTo(x, low + 4); g.stroke();
    g.fillStyle = look.ink;
    g.fillText(`${Number((k * step).toPrecision(6))}`, x, low + 6);
  }
  g.fillStyle = look.soft;
  g.textAlign = "right";
  g.fillText(run.axis, width - RIGHT, low + 24);
}

function drawBar(g, bar, run, X, top, width, look) {
  let right = 0, left = 0;
  bar.pieces.forEach((piece, k) => {
    const from = piece < 0 ? left + piece : right, to = piece < 0 ? left : right + piece;
    if (piece < 0) left += piece; else right += piece;
    const x0 = X(from), x1 = X(to);
    if (x1 - x0 < 0.3) return;
    g.fillStyle = hatched(g, run.keys[k].colour, run.keys[k].hatch);
    g.fillRect(x0, top + NAME, x1 - x0, BAR);
    g.strokeStyle = look.paper;
    g.lineWidth = 1;
    g.strokeRect(x0, top + NAME, x1 - x0, BAR);
  });
  const end = X(right);
  if (right > run.most || bar.open) drawOpenEnd(g, end, top + NAME, right > run.most, look);
  g.textBaseline = "middle";
  g.textAlign = "left";
  const text = `${bar.name}: `;
  g.font = `14px ${look.font}`;
  const wide = g.measureText(text).width;
  g.fillStyle = look.paper;
  g.fillRect(LEFT, top + 1, wide + g.measureText(bar.total).width + 14, NAME - 3);
  g.fillStyle = look.ink;
  g.fillText(text, LEFT + 2, top + NAME / 2);
  g.font = `bold 14px ${look.font}`;
  g.fillText(bar.total, LEFT + 2 + wide, top + NAME / 2);
}

// A bar that goes on: an arrow where it is cut, a row of dots where nothing is known of the rest.
function drawOpenEnd(g, x, top, cut, look) {
  g.fillStyle = look.ink;
  if (cut) {
    g.beginPath(); g.moveTo(x + 1, top + 3); g.lineTo(x + 12, top + BAR / 2); g.lineTo(x + 1, top + BAR - 3); g.fill();
  } else {
    for (const k of [1, 2, 3]) { g.beginPath(); g.arc(x + 4 * k + 1, top + BAR / 2, 1.6, 0, 7); g.fill(); }
  }
}

function legend(node, run) {
  node.replaceChildren();
  for (const key of run.keys) {
    const item = el("span", "rtvirt-key", node), swatch = el("canvas", "rtvirt-swatch", item);
    swatch.style.width = "22px";
    const g = fitCanvas(swatch, 22, 14);
    g.fillStyle = hatched(g, key.colour, key.hatch);
    g.fillRect(0, 0, 22, 14);
    el("span", "", item, key.name);
  }
}

function render({ model, el: root }) {
  keepKeysOfLists(root);
  let keys = null;
  return showPicture(model, root, "rtvirt-stacks", (canvas, run, width, look) => {
    keys = keys || el("div", "rtvirt-legend", el("div", "rtvirt-foot", root));
    draw(canvas, run, width, look);
    legend(keys, run);
  });
}

export default { render };
