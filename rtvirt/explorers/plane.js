// A plane whose axes begin at 0: grid, numbers and what they count. Put between canvas.js and a picture that draws on it.

// `box` has left, right, top and low of the plot and the canvas's width [px]; `axes` has, for x and y each, the value that the number 1 stands
// for (`units`), about how many numbers there is room for (`steps`), and what is counted (`titles`).
function drawPlane(g, most, X, Y, box, axes, look) {
  const { left, right, top, low, width } = box, [xMost, yMost] = most, [xUnit, yUnit] = axes.units;
  g.font = `13px ${look.font}`;
  g.lineWidth = 1;
  const line = (x0, y0, x1, y1) => { g.strokeStyle = look.grid; g.beginPath(); g.moveTo(x0, y0); g.lineTo(x1, y1); g.stroke(); };
  const shown = (value) => `${Number(value.toPrecision(6))}`;
  const xStep = niceStep(xMost, axes.steps[0]), yStep = niceStep(yMost, axes.steps[1]);
  g.fillStyle = look.ink;
  g.textAlign = "center";
  g.textBaseline = "top";
  for (let t = 0; t <= xMost * 1.0001; t += xStep) {
    const x = Math.round(X(t)) + 0.5;
    line(x, top, x, low + 4);
    g.fillText(shown(t / xUnit), x, low + 7);
  }
  g.textAlign = "right";
  g.textBaseline = "middle";
  for (let t = 0; t <= yMost * 1.0001; t += yStep) {
    const y = Math.round(Y(t)) + 0.5;
    line(left, y, width - right, y);
    g.fillText(shown(t / yUnit), left - 7, y);
  }
  g.fillStyle = look.soft;
  g.textBaseline = "top";
  g.fillText(axes.titles[0], width - right, low + 24);
  g.textAlign = "left";
  g.fillText(axes.titles[1], 4, 3);
}
