// Curves: one line a column, with the scheme's bounds, or fitted to the values.

const CURVES = 118;          // px
const THICK = 1.75;          // px
const LEAST_ANGLE = 30;      // deg; a still head is drawn as a flat line, not as magnified noise

function drawCurves(panel, plot, source) {
  const lines = panel.columns.map(({ name }) => source.of(name));
  const [low, high] = panel.low === null ? fitted(lines) : [panel.low, panel.high];
  return drawPlot(plot, {
    height: CURVES, low, high, splits: [low, (low + high) / 2, high],
    series: lines.map((_line, k) => ({ stroke: css(`curve-${k + 1}`), width: THICK, points: { show: false } })),
    data: [source.times, ...lines],
    draw: (u) => {
      drawLevel(u, panel.component === "face.quality" ? DATA.min_quality : 0);
      const half = THICK / 2 / Math.abs(u.valToPos(1, "y") - u.valToPos(0, "y"));
      lines.forEach((line, k) => drawSlivers(u, source.times, line, (from, to, i) => {
        u.ctx.fillStyle = css(`curve-${k + 1}`);
        fillSpan(u, from, to, line[i] - half, line[i] + half);
      }));
    },
  });
}

// Bounds that hold all values, the same distance on both sides of 0.
function fitted(lines) {
  const far = lines.flat().reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), LEAST_ANGLE);
  const bound = Math.ceil(far / 10) * 10;
  return [-bound, bound];
}

function drawLevel(u, level) {
  if (typeof level !== "number") return;
  const y = Math.round(u.valToPos(level, "y", true));
  u.ctx.save();
  u.ctx.strokeStyle = css("muted");
  u.ctx.globalAlpha = 0.6;
  u.ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  u.ctx.beginPath();
  u.ctx.moveTo(u.bbox.left, y);
  u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
  u.ctx.stroke();
  u.ctx.restore();
}

function curveKeys(panel) {
  return panel.columns.map(({ label, about }, k) => ({ label, about, colour: `var(--curve-${k + 1})` }));
}

function curveTexts(panel, source, time) {
  return panel.columns.map(({ name }) => {
    const value = source.at(name, time);
    if (panel.unit === "deg") return value === null ? NOTHING : `${signed(value, 0)}\u00b0`;
    return panel.low < 0 ? signed(value) : plain(value);
  });
}
