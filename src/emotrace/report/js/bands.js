// Expression as bands: seven probabilities stacked to 1, the last one (neutral) on top, so that what is shown rises from below.

const BANDS = 132;     // px
const SMOOTH = 0.4;    // s
const BANDS_NOTE = "Drawn as a moving average over 0.4 s.";
const STRIP = 0.05;    // of the height, under the bands of a voice: who speaks

function drawBands(panel, plot, source) {
  const layers = panel.columns.map(({ name }) => source.of(name, SMOOTH));
  const stacked = [];
  layers.forEach((layer, k) => stacked.push(layer.map((value, i) => (value === null ? null : value + (k ? stacked[k - 1][i] : 0)))));
  const order = panel.columns.map((_column, k) => k).reverse();   // tallest first: the others are painted over it
  return drawPlot(plot, {
    height: BANDS, low: source.smooth ? 0 : -STRIP, high: 1, splits: [0, 0.5, 1],
    series: order.map((k) => ({ fill: expressionColour(panel.columns[k].label), width: 0, points: { show: false } })),
    data: [source.times, ...order.map((k) => stacked[k])],
    draw: (u) => {
      drawSlivers(u, source.times, stacked[0], (from, to, i) => order.forEach((k) => {
        u.ctx.fillStyle = expressionColour(panel.columns[k].label);
        fillSpan(u, from, to, 0, stacked[k][i]);
      }));
      if (!source.smooth) drawTurns(u, -0.01, -STRIP);
    },
  });
}

function bandKeys(panel) {
  return panel.columns.map(({ label, about }) => ({ label, about, colour: `var(--expression-${label})` }));
}

function bandTexts(panel, source, time) {
  return panel.columns.map(({ name }) => plain(source.at(name, time)));
}
