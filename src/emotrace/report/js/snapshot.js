// Bars instead of curves where there is a single moment: a still image, or a video of one frame.

function drawBars(panel, holder, person) {
  const [low, high] = panel.low === null ? [-90, 90] : [panel.low, panel.high];
  const place = (value) => clamp((value - low) / (high - low), 0, 1) * 100;
  const zero = place(Math.max(low, 0));
  panel.columns.forEach(({ name, label, about }, k) => {
    const value = valueAt(person, name, START);
    const bar = el("i", { class: "bar" });
    bar.style.left = `${value === null ? 0 : Math.min(place(value), zero)}%`;
    bar.style.width = `${value === null ? 0 : Math.abs(place(value) - zero)}%`;
    bar.style.background = panel.kind === "bands" ? `var(--expression-${label})` : `var(--curve-${panel.kind === "heat" ? 1 : k + 1})`;
    const text = KINDS[panel.kind].texts(panel, faceSource(person), START)[k];
    holder.append(el("div", { class: "measure", title: about },
      el("span", {}, panel.kind === "heat" ? `${label} ${about}` : label), el("div", { class: "track" }, bar), el("b", {}, text)));
  });
}

function buildSnapshot(holder) {
  const draw = () => holder.replaceChildren(...DATA.panels.map((panel) => {
    const bars = el("div", { class: "bars" });
    drawBars(panel, bars, state.person);
    return el("figure", { class: "panel" }, el("figcaption", {}, el("h3", {}, panel.title), el("span", { class: "note" }, panel.note)), bars);
  }));
  watch("person", draw);
  draw();
}
