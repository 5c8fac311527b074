// Face boxes over the picture, in straight lines between the kept ones; a track lies in one shot, so no line crosses a cut.

const LEAST_SHOWN = 0.04;   // s a single box stays
const HALF_MILLISECOND = 0.0005;

function openBoxes() {
  const { starts, person, times, x1, y1, x2, y2 } = DATA.boxes;
  return {
    starts, person, times: secondsOf(times),
    corners: [x1, y1, x2, y2].map((text) => new Int16Array(bytesOf(text))),
  };
}

const boxes = openBoxes();
const stay = Math.max(DATA.step, LEAST_SHOWN) - HALF_MILLISECOND;

// Boxes at a time, each {person, box: [x1, y1, x2, y2]} in px of the video.
function boxesAt(now) {
  const found = [];
  for (let track = 0; track < boxes.person.length; track++) {
    const [first, last] = [boxes.starts[track], boxes.starts[track + 1] - 1];
    if (now < boxes.times[first] - HALF_MILLISECOND || now > boxes.times[last] + stay) continue;
    const left = lastAtMost(boxes.times, now, first, last);
    const right = Math.min(left + 1, last);
    const gap = boxes.times[right] - boxes.times[left];
    const share = gap ? clamp((now - boxes.times[left]) / gap, 0, 1) : 0;
    found.push({ person: boxes.person[track], box: boxes.corners.map((side) => side[left] + (side[right] - side[left]) * share) });
  }
  return found;
}

function buildOverlay() {
  const canvas = el("canvas", { class: "overlay", "aria-hidden": "true" });
  player.stage.append(canvas);
  const draw = () => drawOverlay(canvas);
  new ResizeObserver(draw).observe(player.stage);
  watch("time person theme boxes", draw);
  draw();
}

function drawOverlay(canvas) {
  const ratio = devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = player.stage;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  if (!state.boxes) return;
  const [scaleX, scaleY] = [width / DATA.media.width, height / DATA.media.height];
  for (const { person, box } of boxesAt(state.time)) {
    const [x1, y1, x2, y2] = [box[0] * scaleX, box[1] * scaleY, box[2] * scaleX, box[3] * scaleY];
    drawBox(context, person, x1, y1, x2 - x1, y2 - y1, width);
  }
}

function drawBox(context, person, x, y, width, height, room) {
  const colour = personColour(person);
  context.lineJoin = "round";
  for (const [style, line] of [["rgb(0 0 0 / 0.45)", 2], [colour, 0]]) {
    context.strokeStyle = style;
    context.lineWidth = line + (person === state.person ? 3 : 1.75);
    context.strokeRect(x, y, width, height);
  }
  const text = boxText(person);
  context.font = "600 12px system-ui, sans-serif";
  const wide = context.measureText(text).width + 10;
  const left = clamp(x - 1, 0, Math.max(room - wide, 0));
  const top = y > 19 ? y - 19 : y + height + 1;
  context.fillStyle = colour;
  context.fillRect(left, top, wide, 18);
  context.fillStyle = "#101214";
  context.fillText(text, left + 5, top + 13);
}

// Who it is and which expression is the likeliest there and then.
function boxText(person) {
  if (person < 0) return "unassigned";
  if (person >= PEOPLE.length) return "\u2026";
  const top = topExpression(person, state.time);
  return top ? `${PEOPLE[person].name}  ${top.label}` : PEOPLE[person].name;
}

function topExpression(person, time) {
  const panel = panelOf("face.expression");
  if (!panel) return null;
  const values = panel.columns.map(({ name, label }) => ({ label, value: valueAt(person, name, time) }));
  const measured = values.filter(({ value }) => value !== null);
  return measured.length ? measured.reduce((best, item) => (item.value > best.value ? item : best)) : null;
}
