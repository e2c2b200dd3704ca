// The walk: a strip of all steps, one lane for each executor; a close-up around the position; and the machine there as text.
// The kernel sends the run once and then one moment at a time; see walk.py and monitor_data.py for what the columns mean.

// Colours of executors (Okabe-Ito). The lane and the letter are the second and third cue.
const EXECUTORS = {
  directly: { colour: "#56B4E9", letter: "D", says: "directly, by the processor" },
  emulated: { colour: "#E69F00", letter: "E", says: "emulated: it trapped" },
  "call-out": { colour: "#F0E442", letter: "C", says: "call-out: it was patched" },
  hypercall: { colour: "#009E73", letter: "H", says: "hypercall: it asked" },
  reflected: { colour: "#CC79A7", letter: "R", says: "reflected: a trap of its own" },
  interpreted: { colour: "#999999", letter: "I", says: "interpreted" },
};
const NAME = 222, LANE = 19, GAP = 12, CELL = 26, EDGE = 8;

function lanesIn(run) {
  return run.who.map((name, i) => i).filter((i) => run.data.who.includes(i));
}

function draw(canvas, run, position, width, look) {
  const lanes = lanesIn(run), n = Math.max(1, run.data.who.length), plot = width - NAME - EDGE;
  const low = 4 + (lanes.length + 1) * LANE, height = low + GAP + CELL + 6;
  const g = fitCanvas(canvas, width, height), X = (step) => NAME + (step / n) * plot;
  g.fillStyle = look.paper;
  g.fillRect(0, 0, width, height);
  g.font = `13px ${look.font}`;
  g.textBaseline = "middle";
  const lane = (row, name, covers, colour) => {
    const y = 4 + row * LANE;
    g.fillStyle = look.ink;
    g.textAlign = "left";
    g.fillText(name, 4, y + LANE / 2);
    g.fillStyle = look.lane;
    g.fillRect(NAME, y + 2, plot, LANE - 4);
    g.fillStyle = colour;
    for (let i = 0; i < n; i++) {
      if (!covers(i)) continue;
      let end = i + 1;
      while (end < n && covers(end)) end++;
      g.fillRect(X(i), y + 2, Math.max(1.5, X(end) - X(i)), LANE - 4);
      i = end;
    }
  };
  lanes.forEach((kind, row) => {
    const name = run.who[kind], look = EXECUTORS[name];
    lane(row, `${look.letter}  ${look.says}`, (i) => run.data.who[i] === kind, look.colour);
  });
  lane(lanes.length, "virtual user mode", (i) => run.data.user[i] === 1, look.soft);
  const x = Math.min(X(position + 0.5), width - EDGE);
  g.strokeStyle = look.ink;
  g.lineWidth = 2;
  g.beginPath();
  g.moveTo(x, 0);
  g.lineTo(x, low);
  g.stroke();
  closeUp(g, run, position, low + GAP, width, look, x);
}

// The steps around the position as cells with letters, the current one framed, joined to its place on the strip.
function closeUp(g, run, position, top, width, look, x) {
  const cells = Math.floor((width - NAME - EDGE) / CELL), first = position - Math.floor(cells / 2), n = run.data.who.length;
  const left = (step) => NAME + (step - first) * CELL;
  g.fillStyle = look.ink;
  g.textAlign = "left";
  g.fillText("one by one, around this step", 4, top + CELL / 2);
  g.strokeStyle = look.grid;
  g.lineWidth = 1.5;
  g.beginPath();
  g.moveTo(x, top - GAP);
  g.lineTo(left(position) + CELL / 2, top);
  g.stroke();
  g.textAlign = "center";
  for (let i = Math.max(0, first); i < Math.min(n, first + cells); i++) {
    const kind = EXECUTORS[run.who[run.data.who[i]]];
    g.fillStyle = kind.colour;
    g.fillRect(left(i) + 1, top + 1, CELL - 2, CELL - 2);
    g.fillStyle = "#000000";
    g.fillText(kind.letter, left(i) + CELL / 2, top + CELL / 2 + 1);
    if (run.data.user[i]) { g.fillStyle = look.soft; g.fillRect(left(i) + 1, top + CELL + 1, CELL - 2, 3); }
  }
  g.strokeStyle = look.ink;
  g.lineWidth = 3;
  g.strokeRect(left(position) + 1, top + 1, CELL - 2, CELL - 2);
}

// Fill a node with as many children as there are rows, reusing what is there.
function rows(parent, count, make) {
  while (parent.children.length > count) parent.lastChild.remove();
  while (parent.children.length < count) parent.appendChild(make());
  return [...parent.children];
}

function put(node, text) { if (node.textContent !== text) node.textContent = text; }

function codeRow() {
  const row = el("div", "");
  for (let k = 0; k < 4; k++) el("span", "", row);
  return row;
}

function pswRow() {
  const row = el("tr", "");
  for (let k = 0; k < 3; k++) el("td", "", row);
  return row;
}

function render({ model, el: root }) {
  root.classList.add("rtvirt", "rtvirt-walk");
  root.dataset.lmSuppressShortcuts = "true";
  const canvas = el("canvas", "", root);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight PageUp PageDown Home End");
  const bar = el("div", "rtvirt-walk-buttons rtvirt-buttons", root);
  const grid = el("div", "rtvirt-walk-grid", root), left = el("div", "", grid), right = el("div", "", grid);
  el("h4", "", left, "The guest's program around P:  P, real word, source");
  const code = el("div", "rtvirt-code", left);
  el("h4", "", left, "Registers");
  const registers = el("div", "rtvirt-registers", left);
  const table = el("table", "", right), head = el("tr", "", el("thead", "", table)), psw = el("tbody", "", table);
  for (const name of ["", "virtual PSW: the guest believes", "real PSW: the processor has"]) el("th", "", head, name);
  el("h4", "", right, "Console");
  const printed = el("div", "rtvirt-console", right);
  keepKeysOfLists(root);

  let run = null, look = null, width = 0;
  const moment = () => model.get("moment");
  function ask(step) {
    model.set("wanted", clamp(step, 0, run.data.who.length));
    model.save_changes();
  }
  function crossing(by) {
    let i = moment().position + by;
    while (i > 0 && i < run.data.who.length && !run.data.crossings[i]) i += by;
    ask(i);
  }
  const ACTIONS = { ArrowLeft: () => ask(moment().position - 1), ArrowRight: () => ask(moment().position + 1), PageUp: () => crossing(-1),
    PageDown: () => crossing(1), Home: () => ask(0), End: () => ask(run.data.who.length) };
  for (const [text, name, key] of [["◀ monitor", "Back to where the monitor came in", "PageUp"], ["◀ step", "One step back", "ArrowLeft"],
    ["step ▶", "One step", "ArrowRight"], ["monitor ▶", "On to where the monitor comes in", "PageDown"]]) {
    const button = el("button", "", bar, text);
    button.type = "button";
    button.title = name;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => ACTIONS[key]());
  }
  const said = el("span", "", bar);
  canvas.addEventListener("keydown", (event) => {
    if (!ACTIONS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    ACTIONS[event.key]();
  });
  canvas.addEventListener("pointerdown", (event) => {
    const x = event.clientX - canvas.getBoundingClientRect().left;
    canvas.focus({ preventScroll: true });
    if (x >= NAME) ask(Math.floor(((x - NAME) / (width - NAME - EDGE)) * run.data.who.length));
  });

  const paint = oncePerFrame(() => {
    width = canvas.clientWidth || root.clientWidth;
    if (width < 40 || !run) return;
    look = look || theme(root);
    draw(canvas, run, moment().position, width, look);
    canvas.dataset.position = moment().position;
    canvas.dataset.lanes = lanesIn(run).map((kind) => run.who[kind]).join(" ");
    canvas.dataset.frame = Number(canvas.dataset.frame || 0) + 1;
  });
  function refresh() {
    const at = moment();
    if (!at.code) return;
    const step = run.data.who[at.position];
    root.style.setProperty("--rtvirt-who", step === undefined ? "#999999" : EXECUTORS[run.who[step]].colour);
    canvas.setAttribute("aria-label", at.label);
    rows(code, at.code.length, codeRow).forEach((row, i) => {
      const [p, real, source] = at.code[i], here = p === at.p;
      row.className = here ? "rtvirt-here" : "";
      [here ? "▶" : "", `${p}`, `${real}`, source].forEach((text, k) => put(row.children[k], text));
    });
    rows(psw, at.psw.length, pswRow).forEach((row, i) => {
      at.psw[i].forEach((text, k) => put(row.children[k], text));
      row.children[2].className = at.psw[i][1] === at.psw[i][2] ? "" : "rtvirt-differs";
    });
    rows(registers, at.registers.length, () => el("span", "")).forEach((node, i) => put(node, `r${i} ${at.registers[i]}`));
    put(printed, at.console || " ");
    const parts = run.who.map((name, i) => [name, at.counts[i]]).filter(([, n]) => n).map(([name, n]) => `${n} ${name}`);
    put(said, `so far: ${parts.join(", ") || "nothing"}; the monitor came in ${at.crossings} times`);
    paint();
  }
  function restart() {
    const layout = model.get("run");
    if (!layout.columns) return;
    run = { ...layout, bytes: model.get("data"), data: unpack(layout.columns, model.get("data")) };
  }
  // Another run may have the same layout, and then only its bytes travel.
  const changed = () => { if (!run || run.columns !== model.get("run").columns || run.bytes !== model.get("data")) restart(); if (run) refresh(); };
  return keepTrue(model, root, changed, paint, () => { look = null; });
}

export default { render };
