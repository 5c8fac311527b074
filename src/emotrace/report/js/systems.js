// What trained systems of clips say of each piece of the video: a lane a system, in the colours of expressions.

const SYSTEMS = DATA.systems.map((system) => {
  const [from, to] = windowsOf(system.windows);
  const series = DATA.labels.map((label) => openSeries(system.series[label], from.length));
  const pieces = from.map((start, i) => {
    const label = system.said[i] === "-" ? null : Number(system.said[i]);
    return { from: start, to: to[i], label: label === null ? null : DATA.labels[label], sure: label === null ? null : series[label][i] };
  });
  return { name: system.name, recipe: system.recipe, from, pieces };
});
const SYSTEMS_NOTE = "Most probable expression of each shot, long shots in pieces; whoever is seen or heard in it. A thin line is no answer.";

// The piece of a system that holds a moment, null where none does.
function pieceAt(system, time) {
  const piece = system.pieces[lastAtMost(system.from, time)];
  return time >= piece.from && time <= piece.to ? piece : null;
}

function pieceText(piece) {
  if (!piece) return "";
  return piece.label ? `${piece.label} ${plain(piece.sure)}` : "no answer";
}

function buildSystems(holder) {
  const { frame, plot, values } = buildFrame("Expression by trained systems", SYSTEMS_NOTE);
  if (!DATA.fused.length) plot.closest(".body").before(expressionLegend());
  holder.append(frame);
  values.style.setProperty("--row", `${LANE}px`);
  const update = buildValues(values, SYSTEMS.map(({ name, recipe }) => ({ label: name, about: `trained by the recipe ${recipe}` })));
  const tell = () => update(SYSTEMS.map((system) => pieceText(pieceAt(system, shownTime())) || NOTHING));
  keepUp(() => drawPlot(plot, {
    height: LANE * SYSTEMS.length, low: 0, high: SYSTEMS.length, down: true, splits: SYSTEMS.map((_system, i) => i + 0.5),
    labels: SYSTEMS.map(({ name }) => (name.length > 5 ? `${name.slice(0, 3)}\u2026` : name)),   // in full at the right
    draw: (u) => SYSTEMS.forEach((system, i) => drawPieces(u, system, i)),
    tell: (time, y) => tellPiece(SYSTEMS[clamp(Math.floor(y), 0, SYSTEMS.length - 1)], time),
  }), tell, { redraw: "theme" });
}

function tellPiece(system, time) {
  const said = pieceText(pieceAt(system, time));
  return said && `${system.name}: ${said}`;
}

function drawPieces(u, system, row) {
  const context = u.ctx;
  const edge = Math.max(1, Math.round(devicePixelRatio));   // between neighbours, which may have one colour
  context.save();
  for (const { from, to, label } of system.pieces) {
    if (!label) {
      drawNoAnswer(u, from, to, row + 0.5);
      continue;
    }
    context.globalAlpha = 1;
    context.fillStyle = expressionColour(label);
    fillSpan(u, from, to, row + 0.1, row + 0.9);
    const x = Math.round(u.valToPos(to, "x", true)) - edge;
    if (x < u.bbox.left || x >= u.bbox.left + u.bbox.width) continue;
    context.fillStyle = css("panel");
    context.fillRect(x, u.valToPos(row + 0.1, "y", true), edge, u.valToPos(row + 0.9, "y", true) - u.valToPos(row + 0.1, "y", true));
  }
  context.restore();
}
