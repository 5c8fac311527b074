// Presence: a lane a person. Pale where the face is seen, full where it is measured.

const LANE = 20;   // px

function laneList() {
  const lanes = PEOPLE.map((person, i) => ({ name: person.name, spans: person.spans, person: i }));
  return DATA.unassigned.length ? [...lanes, { name: "?", spans: DATA.unassigned, person: -1 }] : lanes;
}

function buildLanes(holder) {
  const lanes = laneList();
  const note = DATA.cuts.length ? "Full where the face is measured, pale where it is only seen; dashed lines are cuts."
    : "Full where the face is measured, pale where it is only seen.";
  const { frame, plot, values } = buildFrame("Who is seen when", note);
  holder.append(frame);
  values.style.setProperty("--row", `${LANE}px`);
  const update = buildValues(values, lanes.map((lane) => ({
    label: lane.person < 0 ? "unassigned faces" : lane.name, colour: personColour(lane.person),
  })));
  const centres = lanes.map((_lane, i) => i + 0.5);
  const tell = () => update(lanes.map((lane) => laneText(lane, shownTime())));
  keepUp(() => drawPlot(plot, {
    height: LANE * lanes.length, low: 0, high: lanes.length, down: true, splits: centres,
    labels: lanes.map((lane) => shortened(lane.name)),
    draw: (u) => lanes.forEach((lane, i) => drawLane(u, lane, i)),
  }), tell);
}

function shortened(name) {
  return name.length > 6 ? `${name.slice(0, 5)}\u2026` : name;
}

function laneText(lane, time) {
  const seen = lane.spans.some(([from, to]) => time >= from && time < to);
  if (!seen) return NOTHING;
  const top = lane.person < 0 ? null : topExpression(lane.person, time);
  return top ? top.label : "seen";
}

// Fills from one moment to another between two heights of a plot, inside its area; on whole pixels, so that neighbours meet.
function fillSpan(u, from, to, low, high, inset = 0) {
  const { left, width } = u.bbox;
  const x = clamp(u.valToPos(from, "x", true), left, left + width);
  const end = clamp(u.valToPos(to, "x", true), left, left + width);
  const top = u.valToPos(low, "y", true) + inset * devicePixelRatio;
  const bottom = u.valToPos(high, "y", true) - inset * devicePixelRatio;
  if (end > x) u.ctx.fillRect(Math.round(x), top, Math.max(Math.round(end) - Math.round(x), 1), bottom - top);
}

function drawLane(u, lane, row) {
  const context = u.ctx;
  const bar = (from, to) => fillSpan(u, from, to, row, row + 1, 3);
  context.save();
  context.fillStyle = personColour(lane.person);
  context.globalAlpha = 0.28;
  lane.spans.forEach(([from, to]) => bar(from, to));
  context.globalAlpha = lane.person === state.person ? 1 : 0.75;
  if (lane.person >= 0) measuredSpans(lane.person).forEach(([from, to]) => bar(from, to));
  context.restore();
}

const measuredOf = new Map();

// Spans in which the first drawn component has values; a point counts for as long as it holds.
function measuredSpans(person) {
  const panel = DATA.panels.find(({ gated }) => gated);
  if (!panel) return PEOPLE[person].spans;
  if (!measuredOf.has(person)) measuredOf.set(person, spansOf(series(person, panel.columns[0].name)));
  return measuredOf.get(person);
}

function spansOf(values) {
  const spans = [];
  values.forEach((value, i) => {
    if (value === null) return;
    if (spans.length && spans.at(-1)[1] >= TIMES[i]) spans.at(-1)[1] = ENDS[i];
    else spans.push([TIMES[i], ENDS[i]]);
  });
  return spans;
}
