// What face and voice say together: lanes of all people in the colours of expressions, and one person's line with its sureness.

const ANSWER = 100;      // px, height of full sureness
const RESTS_ROW = 14;    // px, of a row that tells whether it rests on face or voice
const [ON_FACE, ON_VOICE] = [1, 2];

const fusedOf = new Map(DATA.fused.map((row) => [row.person, row]));

// What is said of a person in a window: label (null: no answer), sureness and what it rests on; null where the person is not there.
function fusedIn(person, i) {
  const row = fusedOf.get(person);
  if (!row || i < 0 || row.said[i] === " ") return null;
  const label = row.said[i] === "-" ? null : DATA.labels[Number(row.said[i])];
  return { label, sure: windowSeries(row.confidence)[i], rests: Number(row.rests[i]) };
}

function restsText(rests) {
  return [rests & ON_FACE && "face", rests & ON_VOICE && "voice"].filter(Boolean).join(" + ");
}

function fusedText(said) {
  if (!said) return "";
  return said.label ? `${said.label} ${plain(said.sure)}` : "no answer";
}

function toldText(person, time) {
  const said = fusedIn(person, windowAt(time));
  if (!said) return "";
  return `${nameOf(person)}: ${fusedText(said)}${said.rests ? `, rests on ${restsText(said.rests)}` : ""}`;
}

function expressionLegend() {
  return el("p", { class: "legend" }, ...DATA.labels.map((label) => el("span", {}, el("i", { class: "key", "--key": `var(--expression-${label})` }), label)));
}

function fusedNote() {
  if (!DATA.media.pictures) return "Most probable expression in windows of 2 s; a thin line is speech without a sure answer.";
  const why = DATA.sound ? "Nobody speaks" : "No sound";
  const halves = SPOKEN ? " Upper half: rests on the face; lower half: on the voice." : ` ${why}: it rests on the face alone.`;
  return `Most probable expression in windows of 2 s; a thin line is no answer.${halves}`;
}

function buildFusedLanes(holder) {
  const rows = DATA.fused;
  const { frame, plot, values } = buildFrame("Expression by face and voice", fusedNote());
  plot.closest(".body").before(expressionLegend());
  holder.append(frame);
  values.style.setProperty("--row", `${LANE}px`);
  const update = buildValues(values, rows.map(({ person }) => ({ label: nameOf(person), colour: personColour(person) })));
  const tell = () => update(rows.map(({ person }) => fusedText(fusedIn(person, windowAt(shownTime()))) || NOTHING));
  keepUp(() => drawPlot(plot, {
    height: LANE * rows.length, low: 0, high: rows.length, down: true, splits: rows.map((_row, i) => i + 0.5),
    labels: rows.map(({ person }) => (person === NOBODY ? "?" : shortened(nameOf(person)))),
    draw: (u) => rows.forEach(({ person }, i) => drawFusedLane(u, person, i)),
    tell: (time, y) => toldText(rows[clamp(Math.floor(y), 0, rows.length - 1)].person, time),
  }), tell);
}

function drawFusedLane(u, person, row) {
  const context = u.ctx;
  context.save();
  FROM.forEach((from, i) => {
    const said = fusedIn(person, i);
    if (!said) return;
    if (!said.label) return drawNoAnswer(u, from, TO[i], row + 0.5);
    context.fillStyle = expressionColour(said.label);
    context.globalAlpha = 1;
    const middle = SPOKEN ? row + 0.5 : row + 0.9;   // without a voice there is no other half
    if (said.rests & ON_FACE) fillSpan(u, from, TO[i], row + 0.1, middle);
    if (said.rests & ON_VOICE) fillSpan(u, from, TO[i], row + 0.5, row + 0.9);
  });
  context.restore();
}

function drawNoAnswer(u, from, to, y) {
  const half = 0.5 / Math.abs(u.valToPos(1, "y") - u.valToPos(0, "y"));   // of a px
  u.ctx.fillStyle = css("muted");
  u.ctx.globalAlpha = 0.5;
  fillSpan(u, from, to, y - half, y + half);
}

// The line of one person, or of the voice where there are no pictures.
function buildFused(holder) {
  const owner = () => (PEOPLE.length ? state.person : NOBODY);
  const alone = !DATA.media.pictures;
  const note = alone ? fusedNote() : "The most probable expression of each window; the higher, the surer. Gaps are windows without an answer.";
  const { frame, plot, values } = buildFrame(alone ? "Expression, window by window" : "Face and voice together", note);
  if (alone) plot.closest(".body").before(expressionLegend());
  holder.append(frame);
  const update = buildValues(values, ["expression", "sureness", "rests on", "valence", "arousal"].map((label) => ({ label })));
  const height = ANSWER + (alone ? 2 : 2 * RESTS_ROW);   // a recording can rest on nothing but the voice
  const tell = () => {
    const row = fusedOf.get(owner());
    const said = fusedIn(owner(), windowAt(shownTime()));
    const affect = ["valence", "arousal"].map((name) => (row ? signed(windowValue(row[name], shownTime())) : NOTHING));
    update([said ? said.label ?? "no answer" : NOTHING, plain(said?.sure ?? null), (said && restsText(said.rests)) || NOTHING, ...affect]);
  };
  keepUp(() => drawPlot(plot, {
    height, low: 0, high: height, down: true,
    splits: [0, ANSWER / 2, ...(alone ? [] : [ANSWER + RESTS_ROW / 2, ANSWER + 1.5 * RESTS_ROW])], labels: ["1", "0.5", "face", "voice"],
    draw: (u) => drawAnswers(u, owner()), tell: (time) => toldText(owner(), time),
  }), tell, { retell: "time hover person" });
}

function drawAnswers(u, person) {
  const context = u.ctx;
  context.save();
  FROM.forEach((from, i) => {
    const said = fusedIn(person, i);
    if (!said) return;
    if (!said.label) return drawNoAnswer(u, from, TO[i], ANSWER - 1);
    context.globalAlpha = 1;
    context.fillStyle = expressionColour(said.label);
    fillSpan(u, from, TO[i], ANSWER * (1 - said.sure), ANSWER);
    if (!DATA.media.pictures) return;
    context.fillStyle = css("muted");
    [ON_FACE, ON_VOICE].forEach((source, k) => {
      if (said.rests & source) fillSpan(u, from, TO[i], ANSWER + k * RESTS_ROW, ANSWER + (k + 1) * RESTS_ROW, 3);
    });
  });
  context.restore();
}
