
// A curve under the pointer or the keyboard's focus stands out, in its charts and its table.
{
  const inkOf = (element) =>
    [element.getAttribute("fill"), element.getAttribute("stroke")]
      .map((value) => /^var\(--(s\d)\)$/.exec(value ?? "")?.[1])
      .find(Boolean);

  for (const block of document.querySelectorAll(".block")) {
    const drawn = [...block.querySelectorAll("svg :is([fill], [stroke])")]
      .map((element) => ({ element, ink: inkOf(element) }))
      .filter(({ ink }) => ink);
    const rows = [...block.querySelectorAll("tr[data-series]")];
    const show = (ink) => {
      for (const each of drawn) each.element.classList.toggle("off", Boolean(ink) && each.ink !== ink);
      for (const row of rows) row.classList.toggle("on", row.dataset.series === ink);
    };
    const listen = (element, ink, moments) => {
      for (const moment of moments) element.addEventListener(moment, () => show(ink));
      element.addEventListener("pointerleave", () => show(""));
      element.addEventListener("blur", () => show(""));
    };
    for (const { element, ink } of [...drawn]) {
      listen(element, ink, ["pointerenter", "focus"]);
      if (element.tagName === "text") element.setAttribute("tabindex", "0");
      if (element.tagName === "path" && element.getAttribute("stroke")?.includes(ink)) {
        // Thin lines are hard to hit.
        const wide = element.cloneNode();
        wide.classList.add("hit");
        element.after(wide);
        listen(wide, ink, ["pointerenter"]);
      }
    }
    for (const row of rows) {
      if (row.dataset.series) listen(row, row.dataset.series, ["pointerenter"]);
    }
  }
}
