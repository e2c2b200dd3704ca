// The player: one slide at a time, keys, and room. A slide that is too high first gets smaller pictures (one with room larger ones), then is scaled as a whole.
const stage = document.getElementById("stage");
const slides = [...stage.querySelectorAll("section")].filter((section) => !section.querySelector("section"));
const ROOM = { width: 1200, height: 660 }, LEAST_PICTURE = 300, MOST_GROWTH = 1.4;
let here = 0;

for (const slide of slides) {                    // what is on a slide goes on a sheet that can be scaled
  slide.classList.add("slide");
  const sheet = document.createElement("div");
  sheet.className = "sheet";
  sheet.append(...slide.childNodes);
  slide.append(sheet);
}

function fit(slide) {
  const sheet = slide.firstChild, pictures = [...sheet.querySelectorAll("img")];
  sheet.style.transform = "";
  sheet.style.width = `${ROOM.width}px`;
  for (const picture of pictures) picture.style.height = "";
  const high = pictures.reduce((sum, picture) => sum + picture.offsetHeight, 0), rest = sheet.offsetHeight - high;
  if (high > 0) for (const picture of pictures) {                // the pictures of a slide share what its text leaves
    const own = picture.offsetHeight, wanted = (own * (ROOM.height - rest)) / high;
    picture.style.height = `${Math.max(Math.min(LEAST_PICTURE, own), Math.min(wanted, own * MOST_GROWTH))}px`;
    picture.style.width = "auto";
  }
  const wide = Math.max(...[sheet, ...sheet.querySelectorAll("pre, table, img")].map((part) => part.scrollWidth));
  const scale = Math.min(1, ROOM.height / sheet.scrollHeight, ROOM.width / wide);
  if (scale < 1) sheet.style.transform = `scale(${scale})`;
  slide.dataset.scale = scale.toFixed(3);
}

function show(number) {
  here = Math.max(0, Math.min(slides.length - 1, number));
  slides.forEach((slide, i) => slide.classList.toggle("here", i === here));
  fit(slides[here]);
  document.getElementById("place").textContent = `${here + 1} / ${slides.length}`;
  history.replaceState(null, "", `#${here + 1}`);
}

function resize() {
  const scale = Math.min(innerWidth / 1280, innerHeight / 720);
  stage.style.transform = `scale(${scale}) translate(-50%, -50%)`;
}

function toggleCode() {
  const away = document.body.classList.toggle("no-code");
  document.getElementById("code").setAttribute("aria-pressed", String(away));
  fit(slides[here]);
}

const KEYS = { ArrowRight: () => show(here + 1), PageDown: () => show(here + 1), " ": () => show(here + 1), ArrowLeft: () => show(here - 1),
  PageUp: () => show(here - 1), Home: () => show(0), End: () => show(slides.length - 1), c: toggleCode,
  f: () => document.documentElement.requestFullscreen() };
addEventListener("keydown", (event) => {
  if (!KEYS[event.key] || event.ctrlKey || event.altKey || event.metaKey || (event.key === " " && event.target.tagName === "BUTTON")) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.getElementById("back").addEventListener("click", () => show(here - 1));
document.getElementById("on").addEventListener("click", () => show(here + 1));
document.getElementById("code").addEventListener("click", toggleCode);
addEventListener("resize", resize);
addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1));
addEventListener("beforeprint", () => slides.forEach(fit));
resize();
addEventListener("load", () => show((Number(location.hash.slice(1)) || 1) - 1));
