// Action units as a heat-strip: a row a unit, the colour its intensity. Blank is "not measured"; 0 has a colour of its own.

const ROW = 15;   // px

function drawHeat(panel, plot, source) {
  const rows = panel.columns.map(({ name }) => source.points(name));
  const stops = heatStops();
  return drawPlot(plot, {
    height: ROW * rows.length, low: 0, high: rows.length, down: true,
    splits: rows.map((_row, i) => i + 0.5), labels: panel.columns.map(({ label }) => label),
    draw: (u) => drawStrip(u, rows, panel, stops),
  });
}

// One picture with a pixel for each column of the screen, stretched over the rows.
function drawStrip(u, rows, panel, stops) {
  const width = Math.max(Math.round(u.bbox.width), 1);
  const image = new ImageData(width, rows.length);
  const edges = Array.from({ length: width + 1 }, (_edge, x) => u.posToVal(u.bbox.left + x, "x", true));
  for (let x = 0; x < width; x++) {
    const here = indexAt((edges[x] + edges[x + 1]) / 2);
    if (here < 0) continue;
    const first = Math.min(lastAtMost(TIMES, edges[x]) + 1, here);
    const last = Math.max(lastAtMost(TIMES, edges[x + 1]), here);
    rows.forEach((row, y) => paint(image, (y * width + x) * 4, strongestOf(row, first, last), panel, stops));
  }
  const picture = new OffscreenCanvas(width, rows.length);
  picture.getContext("2d").putImageData(image, 0, 0);
  u.ctx.save();
  u.ctx.imageSmoothingEnabled = false;
  u.ctx.drawImage(picture, u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  u.ctx.fillStyle = css("panel");
  for (let y = 1; y < rows.length; y++) u.ctx.fillRect(u.bbox.left, Math.round(u.valToPos(y, "y", true)), u.bbox.width, 1);
  u.ctx.restore();
}

// Of several points that fall on one pixel the highest is shown: a short smile must not vanish in an hour.
function strongestOf(row, first, last) {
  let most = null;
  for (let i = first; i <= last; i++) if (row[i] !== null && (most === null || row[i] > most)) most = row[i];
  return most;
}

function paint(image, at, value, panel, stops) {
  if (value === null) return;
  const colour = mix(stops, (value - panel.low) / (panel.high - panel.low));
  image.data.set([...colour, 255], at);
}

function heatKeys(panel) {
  return panel.columns.map(({ label, about }) => ({ label: about || label, about: `${label} ${about}` }));
}

function heatTexts(panel, source, time) {
  return panel.columns.map(({ name }) => plain(source.at(name, time)));
}
