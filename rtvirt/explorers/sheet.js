// Tables and text made by the kernel; `data-frame` counts drawings, for those who measure.
export default {
  render({ model, el }) {
    const sheet = document.createElement("div");
    sheet.className = "rtvirt rtvirt-sheet";
    sheet.setAttribute("aria-live", "polite");
    el.append(sheet);
    const draw = () => {
      sheet.innerHTML = model.get("html");
      sheet.dataset.frame = Number(sheet.dataset.frame || 0) + 1;
    };
    model.on("change:html", draw);
    draw();
    keepKeysOfLists(el);
    return () => model.off("change:html", draw);
  },
};
