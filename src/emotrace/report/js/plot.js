// One plot over time: a frame with title and note, uPlot with the common x axis, cuts, playhead, pointer, zoom, and values
// at the right. All plots share the same left and right edges, so that one moment is one vertical line.

const AXIS = 46;      // px at the left
const FOOT = 24;      // px of the time axis
const PAD = [6, 20, 0, 0];
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const WIDE = 24;      // px between cuts that are drawn in full
const CLICK = 4;      // px; a longer way with the button pressed is a drag
const CLOSEST = 0.1;  // s shown at least

const plots = new Set();

// A figure: `plot` takes the drawing, `values` the numbers at the playhead.
function buildFrame(title, note, closed = false) {
  const plot = el("div", { class: "plot" });
  const values = el("div", { class: "values" });
  const body = el("div", { class: "body" }, plot, values);
  const head = [el("h3", {}, title), el("span", { class: "note" }, note)];
  const frame = closed
    ? el("details", { class: "panel" }, el("summary", {}, ...head), body)
    : el("figure", { class: "panel" }, el("figcaption", {}, ...head), body);
  frame.setAttribute("aria-label", title);
  return { frame, plot, values };
}

// options: height (px, of the area), low, high, down (true: y grows downwards), splits, labels, series, data ([times, ...values],
// none where all is drawn by `draw`), draw, tell ((time, y) to the words beside the pointer).
function drawPlot(holder, options) {
  const axis = { stroke: css("muted"), font: "11px system-ui, sans-serif", ticks: { show: false }, grid: { stroke: css("grid"), width: 1 } };
  let fresh = true;
  const range = (_u, low, high) => {
    const all = low === null || (low <= START && high >= STOP);
    const wanted = fresh ? state.zoom : all ? null : [low, high];
    fresh = false;
    return wanted ?? [START, STOP];
  };
  const plot = new uPlot({
    width: Math.max(holder.clientWidth, AXIS + 60),
    height: options.height + PAD[0] + FOOT,
    padding: PAD,
    legend: { show: false },
    cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: false, dist: CLICK } },
    scales: {
      x: { time: false, range },
      y: { range: [options.low, options.high], dir: options.down ? -1 : 1 },
    },
    axes: [
      { ...axis, size: FOOT, gap: 6, incrs: STEPS, space: 70, values: (_u, splits, _i, _space, step) => splits.map((time) => tick(time, step)) },
      { ...axis, size: AXIS, gap: 6, splits: options.splits && (() => options.splits), values: (_u, splits) => options.labels ?? splits.map((value) => String(value).replace("-", MINUS)),
        grid: { ...axis.grid, show: !options.labels } },
    ],
    series: [{}, ...(options.series ?? [{ show: false }])],
    hooks: {
      drawAxes: [(u) => options.draw?.(u)],
      draw: [drawCuts],
      setScale: [(u, key) => key === "x" && followZoom(u)],
      ready: [addMarks],
    },
  }, onWholeClock(options.data ?? [[], []]), holder);
  plot.tell = options.tell;
  plots.add(plot);
  return plot;
}

// Every plot begins and ends with the page's clock, whatever of it its values cover.
function onWholeClock([times, ...values]) {
  return [[START, ...times, STOP], ...values.map((line) => [null, ...line, null])];
}

// Where a line of steps has stretches between gaps that are narrower than a pixel, uPlot draws nothing: `draw` does, given when
// each begins and ends and the number of its first point.
function drawSlivers(u, times, values, draw) {
  u.ctx.save();
  let first = 0;
  for (let i = 0; i < times.length; i += 3) {   // each step is its start, its end and a gap
    if (values[i] === null) continue;
    if (!i || values[i - 2] === null || times[i - 2] < times[i]) first = i;
    const ends = (values[i + 3] ?? null) === null || times[i + 3] > times[i + 1];
    if (ends && u.valToPos(times[i + 1], "x", true) - u.valToPos(times[first], "x", true) < 1) draw(times[first], times[i + 1], first);
  }
  u.ctx.restore();
}

function tick(time, step) {
  return clockText(time, step >= 1 ? 0 : step >= 0.1 ? 1 : 2);
}

function drawCuts(u) {
  const { left, top, width, height } = u.bbox;
  const context = u.ctx;
  context.save();
  context.fillStyle = css("cut");
  const visible = DATA.cuts.filter((cut) => cut >= u.scales.x.min && cut <= u.scales.x.max).length;
  context.globalAlpha = clamp(width / devicePixelRatio / Math.max(visible, 1) / WIDE, 0.25, 1);   // many cuts must not hide the values
  let last = -Infinity;
  for (const cut of DATA.cuts) {
    const x = Math.round(u.valToPos(cut, "x", true));
    if (x < left || x > left + width || x - last < 3) continue;   // cuts closer than a line are wide are one line
    for (let y = top; y < top + height; y += 6 * devicePixelRatio) {
      context.fillRect(x, y, Math.max(1, Math.round(devicePixelRatio)), Math.min(3 * devicePixelRatio, top + height - y));
    }
    last = x;
  }
  context.restore();
}

function addMarks(u) {
  u.marks = {
    playhead: el("div", { class: "playhead" }),
    pointer: el("div", { class: "pointer" }),
    bubble: el("div", { class: "bubble" }),
  };
  u.over.append(u.marks.pointer, u.marks.playhead, u.marks.bubble);
  let pressed = 0;
  let inside = false;
  const timeOf = (event) => u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x");
  u.over.addEventListener("mousedown", (event) => { pressed = event.clientX; });
  u.over.addEventListener("click", (event) => Math.abs(event.clientX - pressed) < CLICK && seek(timeOf(event)));
  u.over.addEventListener("mousemove", (event) => {
    u.marks.bubble.hidden = false;
    inside = true;
    u.pointed = u.posToVal(event.clientY - u.over.getBoundingClientRect().top, "y");
    change("hover", clamp(timeOf(event), START, STOP));
    placeMarks(u);   // a pointer that moves up or down stays at its time
  });
  u.over.addEventListener("mouseleave", () => {
    u.marks.bubble.hidden = true;
    if (inside) change("hover", null);
    inside = false;
  });
  u.marks.bubble.hidden = true;
  placeMarks(u);
}

function placeMarks(u) {
  if (!u.marks) return;
  place(u, u.marks.playhead, state.time);
  place(u, u.marks.pointer, state.hover);
  place(u, u.marks.bubble, state.hover);
  if (state.hover === null) return;
  const said = u.marks.bubble.hidden ? "" : u.tell?.(state.hover, u.pointed);
  write(u.marks.bubble, [clockText(state.hover, 2), said].filter(Boolean).join("  "));
  u.marks.bubble.classList.toggle("left", u.valToPos(state.hover, "x") > u.over.clientWidth / 2);
}

function place(u, mark, time) {
  const shown = time !== null && time >= u.scales.x.min && time <= u.scales.x.max;
  mark.style.visibility = shown ? "visible" : "hidden";
  if (shown) mark.style.transform = `translateX(${u.valToPos(time, "x").toFixed(2)}px)`;
}

function followZoom(u) {
  const { min, max } = u.scales.x;
  const all = min <= START + 1e-6 && max >= STOP - 1e-6;
  if (!all && (state.zoom?.[0] !== min || state.zoom?.[1] !== max)) change("zoom", [min, max]);
  if (all) change("zoom", null);
  placeMarks(u);
}

function applyZoom() {
  const [min, max] = state.zoom ?? [START, STOP];
  for (const u of plots) if (u.scales.x.min !== min || u.scales.x.max !== max) u.setScale("x", { min, max });
}

function forget(plot) {
  plots.delete(plot);
  plot.destroy();
}

// Draws a plot and tells its numbers, now and whenever something changes on which they depend.
function keepUp(drawn, tell, { redraw = "theme person", retell = "time hover" } = {}) {
  let plot = null;
  const draw = () => {
    if (plot) forget(plot);
    plot = drawn();
  };
  draw();
  tell();
  watch(redraw, draw);
  watch(retell, tell);
}

function listenToPlots(holder) {
  watch("time hover", () => plots.forEach(placeMarks));
  watch("zoom", applyZoom);
  const fit = () => {
    for (const u of plots) {
      const width = u.root.parentElement.clientWidth;
      if (width && width !== u.width) u.setSize({ width, height: u.height });
    }
  };
  new ResizeObserver(fit).observe(holder);
  const onPaper = (printing) => () => {
    document.body.classList.toggle("paper", printing);
    fit();
  };
  addEventListener("beforeprint", onPaper(true));
  addEventListener("afterprint", onPaper(false));
}

// Keys zoom around the playhead.
function zoomBy(factor) {
  const [from, to] = state.zoom ?? [START, STOP];
  const length = Math.max((to - from) * factor, CLOSEST);
  const start = clamp(state.time - length / 2, START, Math.max(STOP - length, START));
  change("zoom", length < STOP - START ? [start, start + length] : null);
}

// Rows of names and numbers at the right of a plot; returns what updates the numbers.
function buildValues(holder, rows) {
  const numbers = rows.map(({ label, colour, about }) => {
    const number = el("b");
    const key = colour ? el("i", { class: "key", "--key": colour }) : null;
    holder.append(el("div", { class: "value", title: about || label }, key, el("span", {}, label), number));
    return number;
  });
  return (texts) => texts.forEach((text, i) => write(numbers[i], text));
}
