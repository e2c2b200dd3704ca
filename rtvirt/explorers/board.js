// A board: boxes with tiles. The kernel says who has what and what does not fit; here tiles are dragged, and moved by keys. See holders.py.

const DRAG = 5;                  // a press that moves less than so many pixels is a click

function plural(n, word) { return `${n} ${word}${n === 1 ? "" : "s"}`; }

// Numbers of findings, as round marks.
function numbers(parent, marks) {
  for (const n of marks) el("span", "rtvirt-number", parent, `${n}`);
}

function accessible(holder, tile) {
  const marks = tile.findings.length ? `. Finding ${tile.findings.join(", ")}` : "";
  return `${tile.name}, ${tile.says}, in ${holder.name}${marks}${tile.movable ? ". Left and right give it to another box" : ""}`;
}

function makeTile(parent, holder, tile) {
  const node = el(tile.movable ? "button" : "div", "rtvirt-tile", parent);
  if (tile.movable) node.type = "button";
  node.dataset.key = `${holder.name}/${tile.name}`;
  node.dataset.kind = tile.kind;
  if (tile.mode) node.dataset.mode = tile.mode;
  node.classList.toggle("rtvirt-found", tile.findings.length > 0);
  node.title = accessible(holder, tile);
  if (tile.movable) node.setAttribute("aria-label", node.title);
  const short = tile.kind === "pCPU";
  el("b", "", node, short ? tile.name.replace("pCPU ", "") : tile.name);
  numbers(node, tile.findings);
  if (!short) el("small", "", node, tile.says);
  return node;
}

function makeBox(parent, holder) {
  const box = el("div", "rtvirt-box", parent);
  box.dataset.box = holder.name;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `${holder.name}, ${holder.meaning}`);
  box.style.setProperty("--rtvirt-meaning", MEANING[holder.meaning].colour);
  numbers(el("h4", "", box, holder.name === "board" ? "the board" : holder.name), holder.findings);
  el("p", "", box, holder.name === "board" ? holder.says : `${holder.meaning}; ${holder.says}`);
  let cpus = null;
  for (const tile of holder.tiles) {
    if (tile.kind !== "pCPU") { makeTile(box, holder, tile); continue; }
    if (!cpus) { cpus = el("div", "rtvirt-cpus", box); el("small", "", cpus, "pCPU"); }
    makeTile(cpus, holder, tile);
  }
}

function makeFindings(list, findings) {
  list.replaceChildren();
  findings.forEach((finding, i) => {
    const item = el("li", "", list);
    numbers(item, [i + 1]);
    el("b", "", item, `${finding.rule} `);
    el("code", "", item, finding.place);
    el("div", "", item, `${finding.reason}.`);
    el("em", "", item, `→ ${finding.remedy}`);
  });
}

function render({ model, el: root }) {
  root.classList.add("rtvirt", "rtvirt-board");
  root.dataset.lmSuppressShortcuts = "true";      // arrow keys belong to the tiles, not to the notebook
  const boxes = el("div", "rtvirt-boxes", root);
  const beside = el("div", "rtvirt-findings", root);
  const head = el("h4", "", beside);
  const buttons = el("div", "rtvirt-buttons", beside);
  const list = el("ol", "", beside);
  const said = el("div", "rtvirt-hidden", root);
  said.setAttribute("aria-live", "polite");
  keepKeysOfLists(root);
  let asked = 0, held = null;

  function ask(what) {
    asked = model.get("picture").answers + 1;
    model.set("wanted", { ...what, number: asked });
    model.save_changes();
  }
  for (const [text, name, what] of [["undo", "Undo the last move", "undo"], ["as it comes", "Undo all moves", "reset"]]) {
    const button = el("button", "", buttons, text);
    button.type = "button";
    button.title = name;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => ask({ do: what }));
  }
  const names = () => model.get("picture").holders.map((holder) => holder.name);
  function move(key, target) {
    const [source, what] = [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)];
    if (target !== undefined && target !== source) ask({ do: "move", what, source, target });
  }
  function neighbour(tile, by) {                  // the next tile of the same box that can be moved
    const all = [...tile.closest(".rtvirt-box").querySelectorAll("button.rtvirt-tile")];
    all[clamp(all.indexOf(tile) + by, 0, all.length - 1)].focus();
  }
  const ACTIONS = {
    ArrowLeft: (tile, own) => move(tile.dataset.key, names()[names().indexOf(own) - 1]),
    ArrowRight: (tile, own) => move(tile.dataset.key, names()[names().indexOf(own) + 1]),
    ArrowUp: (tile) => neighbour(tile, -1), ArrowDown: (tile) => neighbour(tile, 1),
  };
  root.addEventListener("keydown", (event) => {
    const tile = event.target.closest("button.rtvirt-tile"), action = ACTIONS[event.key];
    if (!tile || !action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action(tile, tile.closest(".rtvirt-box").dataset.box);
  });

  // Dragging: the tile follows the pointer; the box below it is marked; where it is dropped, the kernel is asked.
  const under = (event) => boxes.ownerDocument.elementsFromPoint(event.clientX, event.clientY).map((node) => node.closest(".rtvirt-box"))
    .find((box) => box && boxes.contains(box));
  boxes.addEventListener("pointerdown", (event) => {
    const tile = event.target.closest("button.rtvirt-tile");
    if (!tile || event.button) return;
    held = { tile, x: event.clientX, y: event.clientY, moved: false };
    tile.setPointerCapture(event.pointerId);
  });
  boxes.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.moved && Math.hypot(dx, dy) < DRAG) return;
    held.moved = true;
    held.tile.classList.add("rtvirt-held");
    held.tile.style.transform = `translate(${dx}px, ${dy}px)`;
    const over = under(event);
    for (const box of boxes.children) box.classList.toggle("rtvirt-over", box === over);
  });
  function drop(event, take) {
    if (!held) return;
    const { tile, moved } = held, over = under(event);
    held = null;
    tile.classList.remove("rtvirt-held");
    tile.style.transform = "";
    for (const box of boxes.children) box.classList.remove("rtvirt-over");
    tile.focus({ preventScroll: true });
    if (take && moved && over) move(tile.dataset.key, over.dataset.box);
    else refresh();                               // what came meanwhile
  }
  boxes.addEventListener("pointerup", (event) => drop(event, true));
  boxes.addEventListener("pointercancel", (event) => drop(event, false));

  function refresh() {
    const picture = model.get("picture");
    if (!picture.holders || held) return;
    const active = root.ownerDocument.activeElement, had = root.contains(active) ? active.dataset.key : undefined;
    const focus = asked && picture.answers === asked && picture.last && had ? picture.last : had;
    if (picture.answers === asked) asked = 0;
    boxes.replaceChildren();
    for (const holder of picture.holders) makeBox(boxes, holder);
    const found = picture.findings.length;
    put(head, `${picture.board}: ${found ? plural(found, "finding") : "no findings"}`);
    makeFindings(list, picture.findings);
    put(said, picture.label);
    const back = focus && boxes.querySelector(`button[data-key="${CSS.escape(focus)}"]`);
    if (back) back.focus({ preventScroll: true });
    boxes.dataset.frame = Number(boxes.dataset.frame || 0) + 1;
  }
  function put(node, text) { if (node.textContent !== text) node.textContent = text; }
  refresh();
  model.on("change:picture", refresh);
  return () => model.off("change:picture", refresh);
}

export default { render };
