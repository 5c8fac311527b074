// The circumplex of affect: where the selected person's face goes in valence and arousal, coloured by time.

const SMOOTH_PATH = 0.6;   // s
const QUADRANTS = [
  { text: "pleasant, excited", x: 1, y: 1 }, { text: "unpleasant, tense", x: -1, y: 1 },
  { text: "unpleasant, drained", x: -1, y: -1 }, { text: "pleasant, calm", x: 1, y: -1 },
];

function buildCircumplex(holder) {
  const panel = panelOf("face.valence_arousal");
  if (!panel || !PEOPLE.length) return;
  const canvas = el("canvas", { class: "circumplex" });
  const path = document.createElement("canvas");
  const heading = el("h3", {}, "Valence and arousal");
  holder.append(el("figure", { class: "panel circle" }, el("figcaption", {}, heading), canvas));
  const redraw = () => {
    fitCanvas(canvas);
    fitCanvas(path, canvas);
    drawPath(path, canvas);
    describe(canvas);
    drawDot(canvas, path);
  };
  new ResizeObserver(redraw).observe(canvas);
  watch("person zoom theme", redraw);
  watch("time hover", () => drawDot(canvas, path));
}

function fitCanvas(canvas, like = canvas) {
  const side = Math.round(like.clientWidth * devicePixelRatio);
  if (canvas.width !== side || canvas.height !== side) [canvas.width, canvas.height] = [side, side];
}

// Maps valence and arousal to px of the canvas.
function placeIn(canvas) {
  const half = canvas.clientWidth / 2;
  const unit = half - 25;
  return { half, unit, x: (valence) => half + valence * unit, y: (arousal) => half - arousal * unit };
}

function drawPath(path, canvas) {
  const context = path.getContext("2d");
  const at = placeIn(canvas);
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, 2 * at.half, 2 * at.half);
  drawCompass(context, at);
  const [from, to] = state.zoom ?? [START, STOP];
  const valence = smoothed(series(state.person, "valence"), SMOOTH_PATH);
  const arousal = smoothed(series(state.person, "arousal"), SMOOTH_PATH);
  context.lineWidth = 2;
  context.lineCap = "round";
  context.globalAlpha = 0.75;
  for (let i = 1; i < TIMES.length; i++) {
    if (valence[i] === null || valence[i - 1] === null || TIMES[i - 1] < from || TIMES[i] > to) continue;
    if (SHOT[i] !== SHOT[i - 1]) continue;   // across a cut nothing moves
    context.strokeStyle = timeColour((TIMES[i] - from) / (to - from || 1));
    context.beginPath();
    context.moveTo(at.x(valence[i - 1]), at.y(arousal[i - 1]));
    context.lineTo(at.x(valence[i]), at.y(arousal[i]));
    context.stroke();
  }
  context.globalAlpha = 1;
  if (LASTS) drawTimeKey(context, at, from, to);
}

function drawCompass(context, at) {
  context.font = "11px system-ui, sans-serif";
  context.strokeStyle = css("line");
  context.fillStyle = css("muted");
  context.lineWidth = 1;
  context.beginPath();
  context.arc(at.half, at.half, at.unit, 0, 2 * Math.PI);
  context.moveTo(at.x(-1), at.half);
  context.lineTo(at.x(1), at.half);
  context.moveTo(at.half, at.y(-1));
  context.lineTo(at.half, at.y(1));
  context.stroke();
  for (const { text, x, y } of QUADRANTS) {
    context.textAlign = x > 0 ? "right" : "left";
    context.fillText(text, at.x(x) + x * 20, y > 0 ? 12 : 2 * at.half - 22);
  }
  context.textAlign = "right";
  context.fillText("valence +1", at.x(1) + 20, at.half - 5);
  context.textAlign = "center";
  context.fillText("arousal +1", at.half, at.y(1) - 6);
  for (const [label, [valence, arousal]] of Object.entries(DATA.places)) drawPlace(context, at, label, valence, arousal);
}

function drawPlace(context, at, label, valence, arousal) {
  const colour = expressionColour(label);
  context.save();
  context.fillStyle = colour;
  context.beginPath();
  context.arc(at.x(valence), at.y(arousal), 4, 0, 2 * Math.PI);
  context.fill();
  const edge = valence > 0.7;   // there is no room for the word at its right
  const side = edge || valence < -0.62 ? -1 : 1;
  context.textAlign = side < 0 ? "right" : "left";
  context.fillStyle = css("muted");
  context.fillText(label, at.x(valence) + side * 7, at.y(arousal) + (edge ? -6 : 4));
  context.restore();
}

function drawTimeKey(context, at, from, to) {
  const [left, width, top] = [20, 2 * at.half - 40, 2 * at.half - 13];
  for (let x = 0; x < width; x++) {
    context.fillStyle = timeColour(x / width);
    context.fillRect(left + x, top - 3, 1.5, 4);
  }
  context.fillStyle = css("muted");
  context.textAlign = "left";
  context.fillText(clockText(from), left, top + 12);
  context.textAlign = "right";
  context.fillText(clockText(to), left + width, top + 12);
}

function drawDot(canvas, path) {
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(path, 0, 0);
  const valence = valueAt(state.person, "valence", shownTime());
  const arousal = valueAt(state.person, "arousal", shownTime());
  if (valence === null || arousal === null) return;
  const at = placeIn(canvas);
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.beginPath();
  context.arc(at.x(valence), at.y(arousal), 7, 0, 2 * Math.PI);
  context.fillStyle = personColour(state.person);
  context.strokeStyle = css("text");
  context.lineWidth = 2;
  context.fill();
  context.stroke();
}

function describe(canvas) {
  const { name, valence, arousal } = PEOPLE[state.person];
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label",
    `Circumplex of affect for ${name}: mean valence ${signed(valence)}, mean arousal ${signed(arousal)}`);
}
