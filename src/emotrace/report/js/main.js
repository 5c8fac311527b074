// Puts the page together.

const KINDS = {
  bands: { draw: drawBands, keys: bandKeys, texts: bandTexts, note: BANDS_NOTE },
  curves: { draw: drawCurves, keys: curveKeys, texts: curveTexts },
  heat: { draw: drawHeat, keys: heatKeys, texts: heatTexts, row: ROW },
};

function buildPanel(holder, panel) {
  const kind = KINDS[panel.kind];
  const { frame, plot, values } = buildFrame(panel.title, [panel.note, kind.note].filter(Boolean).join(" "), panel.closed);
  holder.append(frame);
  if (kind.row) values.style.setProperty("--row", `${kind.row}px`);
  const update = buildValues(values, kind.keys(panel));
  const empty = el("p", { class: "empty" }, "Nothing of this could be measured.");
  plot.append(empty);
  let shown = null;
  const isOpen = () => !panel.closed || frame.open;
  const tell = () => isOpen() && update(kind.texts(panel, state.person, shownTime()));
  const draw = () => {
    if (shown) forget(shown);
    shown = isOpen() ? kind.draw(panel, plot, state.person) : null;
    empty.hidden = panel.columns.some(({ name }) => PEOPLE[state.person].series[name].data !== "");
    tell();
  };
  if (panel.closed) frame.addEventListener("toggle", draw);
  watch("person theme", draw);
  watch("time hover", tell);
  draw();
}

function buildTimelines(holder) {
  if (!PEOPLE.length) return;
  if (!IS_VIDEO) {
    buildSnapshot(holder);
    return;
  }
  buildLanes(holder);
  buildEvents(holder);
  const name = el("h2", {});
  const moment = el("span", { class: "moment" });
  const all = el("button", { type: "button", class: "all", hidden: true, onclick: () => change("zoom", null) }, "show all");
  holder.append(el("div", { class: "subject" }, name, moment, all));
  const tell = () => write(moment, `values at ${clockText(shownTime(), 2)}${state.hover === null ? "" : " (pointer)"}`);
  const title = () => {
    write(name, `${PEOPLE[state.person].name} over time`);
    name.style.setProperty("--person", personColour(state.person));
  };
  watch("person", title);
  watch("time hover", tell);
  watch("zoom", () => { all.hidden = state.zoom === null; });
  title();
  tell();
  DATA.panels.forEach((panel) => buildPanel(holder, panel));
  holder.append(el("p", { class: "hint" },
    "Click a plot to go there, drag to zoom, double-click to see all. Space plays, arrow keys move by one second."));
  listenToPlots(holder);
}

buildHead(document.getElementById("head"));
buildPeople(document.getElementById("people"));
buildPlayer(document.getElementById("watch"));
buildOverlay();
buildCircumplex(document.getElementById("watch"));
buildTimelines(document.getElementById("timelines"));
buildAbout(document.getElementById("about"));
listenToKeys();
