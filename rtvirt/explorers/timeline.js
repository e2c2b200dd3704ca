// The timeline widget: what the reader does with it. Pan and zoom live here, in the browser; the kernel sends columns of
// float64 only when the run changes. See timeline.py for what the columns mean and timeline_draw.js for the drawing.

function render({ model, el: root }) {
  root.classList.add("rtvirt", "rtvirt-timeline");
  root.dataset.lmSuppressShortcuts = "true";      // arrow keys belong to the timeline, not to the notebook
  const figure = el("div", "", root);
  figure.setAttribute("role", "group");
  figure.setAttribute("aria-label", "Timeline");
  const canvas = el("canvas", "", figure);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight + - Home M");
  const tip = el("div", "rtvirt-tip", figure);
  tip.hidden = true;
  const foot = el("div", "rtvirt-foot", figure);
  const keys = el("div", "rtvirt-legend", foot);
  const buttons = el("div", "rtvirt-buttons", foot);
  const said = el("div", "rtvirt-hidden", figure);
  said.setAttribute("aria-live", "polite");
  const about = el("div", "rtvirt-hidden", figure);
  about.id = `rtvirt-${Math.random().toString(36).slice(2)}`;
  canvas.setAttribute("aria-describedby", about.id);

  let run = decode(model), look = null, width = 0;
  const view = { from: 0, to: 1, plot: 1 };

  function resetView() {
    const [from, to] = model.get("view");
    view.from = clamp(from, 0, Math.max(1, run.duration) - 1);
    view.to = clamp(to, view.from + 1, Math.max(run.duration, 1));
  }
  function limitView() {
    const all = Math.max(1, run.duration), span = clamp(view.to - view.from, Math.min(1000, all), all);
    view.from = clamp(view.from, 0, all - span);
    view.to = view.from + span;
  }
  const paint = oncePerFrame(() => {
    width = canvas.clientWidth || root.clientWidth;
    if (width < 40 || !run.vcpus) return;
    look = look || theme(root);
    view.plot = width - LEFT - RIGHT;
    limitView();
    draw(fitCanvas(canvas, width, lanesOf(run).height), run, view, width, look);
    canvas.dataset.from = view.from;
    canvas.dataset.to = view.to;
    canvas.dataset.frame = Number(canvas.dataset.frame || 0) + 1;
  });
  function refresh() {
    run = decode(model);
    if (!run.vcpus) return;
    canvas.setAttribute("aria-label", run.title);
    about.textContent = run.description;
    legend(keys, run, look || theme(root));
    paint();
  }
  function announce() { said.textContent = `Shows ${words(view.from)} to ${words(view.to)}.`; }
  function zoom(factor, at) {
    const t = view.from + at * (view.to - view.from);
    const span = clamp((view.to - view.from) * factor, Math.min(1000, run.duration), run.duration);
    view.from = t - at * span;
    view.to = view.from + span;
    moved();
  }
  function pan(share) {
    const by = share * (view.to - view.from);
    view.from += by;
    view.to += by;
    moved();
  }
  const everything = () => { view.from = 0; view.to = run.duration; moved(); };
  function nextMiss() {                           // the next one after the middle of what is shown, else the first
    const middle = (view.from + view.to) / 2, missed = KINDS.indexOf("miss"), { mark_time: time, mark_kind: kind } = run.data;
    const misses = Array.from(time).filter((_, i) => kind[i] === missed);
    if (!misses.length) return;
    pan(((misses.find((t) => t > middle + 1) ?? misses[0]) - middle) / (view.to - view.from));
  }
  // Timelines of one group show the same time: whoever is moved tells the others in the page, without the kernel.
  function moved() {
    limitView();
    paint();
    if (model.get("linked")) document.dispatchEvent(new CustomEvent("rtvirt-view", { detail: { teller: canvas, group: model.get("linked"), ...view } }));
  }
  const told = ({ detail }) => {
    if (detail.teller === canvas || detail.group !== model.get("linked")) return;
    view.from = detail.from;
    view.to = detail.to;
    paint();
  };
  document.addEventListener("rtvirt-view", told);
  const ACTIONS = { ArrowLeft: () => pan(-0.1), ArrowRight: () => pan(0.1), PageUp: () => pan(-0.9), PageDown: () => pan(0.9),
    "+": () => zoom(0.7, 0.5), "=": () => zoom(0.7, 0.5), "-": () => zoom(1 / 0.7, 0.5), _: () => zoom(1 / 0.7, 0.5),
    Home: everything, End: () => pan(1e9), m: nextMiss, 0: () => { resetView(); moved(); } };
  canvas.addEventListener("keydown", (event) => {
    const action = ACTIONS[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action();
    announce();
  });
  for (const [text, name, action] of [["◀", "Earlier", ACTIONS.PageUp], ["▶", "Later", ACTIONS.PageDown], ["+", "Zoom in", ACTIONS["+"]],
    ["−", "Zoom out", ACTIONS["-"]], ["all", "Show everything", everything], ["✕ ▶", "Next missed deadline", nextMiss]]) {
    const button = el("button", "", buttons, text);
    button.type = "button";
    button.title = name;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => { action(); announce(); });
  }
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;      // else the page scrolls, as it should
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) pan((event.deltaX || event.deltaY) / view.plot);
    else zoom(Math.exp(clamp(event.deltaY, -200, 200) * 0.002), clamp((event.clientX - box.left - LEFT) / view.plot, 0, 1));
  }, { passive: false });
  let grip = null;
  canvas.addEventListener("pointerdown", (event) => {
    grip = { x: event.clientX, from: view.from, to: view.to };
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
  });
  for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => { grip = null; });
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    if (grip) {
      const by = ((grip.x - event.clientX) / view.plot) * (grip.to - grip.from);
      view.from = grip.from + by;
      view.to = grip.to + by;
      moved();
    }
    const x = event.clientX - box.left, y = event.clientY - box.top;
    const text = grip || !run.vcpus ? null : describe(run, view, x, y);
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = `${clamp(x + 14, 0, Math.max(0, width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 18}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });

  resetView();
  const stop = keepTrue(model, root, refresh, paint, () => { look = null; keys.dataset.key = ""; });
  const follow = () => { resetView(); paint(); };
  model.on("change:view", follow);
  return () => {
    stop();
    model.off("change:view", follow);
    document.removeEventListener("rtvirt-view", told);
  };
}

export default { render };
