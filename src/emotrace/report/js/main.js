// Puts the page together.

const KINDS = {
  bands: { draw: drawBands, keys: bandKeys, texts: bandTexts, note: BANDS_NOTE },
  curves: { draw: drawCurves, keys: curveKeys, texts: curveTexts },
  heat: { draw: drawHeat, keys: heatKeys, texts: heatTexts, row: ROW },
  rows: { draw: drawRows, keys: rowKeys, texts: rowTexts, row: ROW_OF_LINE },
};

// sourceOf: what to draw now, the selected person's face or the voice.
function buildPanel(holder, panel, sourceOf) {
  const kind = KINDS[panel.kind];
  const { frame, plot, values } = buildFrame(panel.title, [panel.note, sourceOf().smooth && kind.note].filter(Boolean).join(" "), panel.closed);
  holder.append(frame);
  if (kind.row) values.style.setProperty("--row", `${kind.row}px`);
  const update = buildValues(values, kind.keys(panel));
  const empty = el("p", { class: "empty" }, "Nothing of this could be measured.");
  plot.append(empty);
  let shown = null;
  const isOpen = () => !panel.closed || frame.open;
  const tell = () => isOpen() && update(kind.texts(panel, sourceOf(), shownTime()));
  const draw = () => {
    if (shown) forget(shown);
    shown = isOpen() ? kind.draw(panel, plot, sourceOf()) : null;
    empty.hidden = panel.columns.some(({ name }) => sourceOf().of(name).some((value) => value !== null));
    tell();
  };
  if (panel.closed) frame.addEventListener("toggle", draw);
  watch("person theme", draw);
  watch("time hover", tell);
  draw();
}

// A heading that stays in sight, with the moment whose values are shown.
function buildSubject(holder, titleOf, colourOf) {
  const name = el("h2", {});
  const moment = el("span", { class: "moment" });
  const all = el("button", { type: "button", class: "all", hidden: true, onclick: () => change("zoom", null) }, "show all");
  holder.append(el("div", { class: "subject" }, name, moment, all));
  const tell = () => write(moment, `values at ${clockText(shownTime(), 2)}${state.hover === null ? "" : " (pointer)"}`);
  const title = () => {
    write(name, titleOf());
    name.style.setProperty("--person", colourOf());
  };
  watch("person theme", title);
  watch("time hover", tell);
  watch("zoom", () => { all.hidden = state.zoom === null; });
  title();
  tell();
}

function buildTimelines(holder) {
  if (!LASTS) {
    if (PEOPLE.length) buildSnapshot(holder);
    else if (!DATA.media.pictures) holder.append(el("p", { class: "notice" }, "No sound was measured."));
    return;
  }
  if (!PEOPLE.length && !DATA.sound && !SYSTEMS.length) return;
  if (DATA.media.pictures) {
    if (DATA.fused.length) buildFusedLanes(holder);
    if (SYSTEMS.length) buildSystems(holder);
    if (DATA.sound) buildSound(holder);
    if (PEOPLE.length) buildFaces(holder);
  }
  if ((SPOKEN && DATA.voice.panels.length) || !DATA.media.pictures) buildVoice(holder);
  holder.append(el("p", { class: "hint" },
    "Click a plot to go there, drag to zoom, double-click to see all. Space plays, arrow keys move by one second, + and \u2212 zoom, "
    + "Escape shows all."));
  listenToPlots(holder);
}

function buildFaces(holder) {
  buildLanes(holder);
  buildEvents(holder);
  buildSubject(holder, () => `${PEOPLE[state.person].name} over time`, () => personColour(state.person));
  if (DATA.fused.length) buildFused(holder);
  DATA.panels.forEach((panel) => buildPanel(holder, panel, () => faceSource(state.person)));
}

function buildVoice(holder) {
  buildSubject(holder, () => "The voice over time", () => css("muted"));
  if (!DATA.media.pictures) {
    if (SPOKEN && DATA.voice.panels.some(({ component }) => component === "voice.emotion")) buildFused(holder);
    buildSound(holder);
  }
  if (!SPOKEN) return;
  DATA.voice.panels.forEach((panel) => buildPanel(holder, panel, () => VOICE_SOURCE));
}

document.getElementById("board").classList.toggle("heard", !DATA.media.pictures);
buildHead(document.getElementById("head"));
if (DATA.media.pictures) buildPeople(document.getElementById("people"));
buildPlayer(document.getElementById("watch"));
if (DATA.media.pictures) buildOverlay();
buildCircumplex(document.getElementById("watch"));
buildTimelines(document.getElementById("timelines"));
buildAbout(document.getElementById("about"));
listenToKeys();
