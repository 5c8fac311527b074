// Expression as bands: seven probabilities stacked to 1, the last one (neutral) on top, so that what is shown rises from below.

const BANDS = 132;     // px
const SMOOTH = 0.4;    // s
const BANDS_NOTE = "Drawn as a moving average over 0.4 s.";

function drawBands(panel, plot, person) {
  const layers = panel.columns.map(({ name }) => smoothed(series(person, name), SMOOTH));
  const stacked = [];
  layers.forEach((layer, k) => stacked.push(layer.map((value, i) => (value === null ? null : value + (k ? stacked[k - 1][i] : 0)))));
  const order = panel.columns.map((_column, k) => k).reverse();   // tallest first: the others are painted over it
  return drawPlot(plot, {
    height: BANDS, low: 0, high: 1, splits: [0, 0.5, 1],
    series: order.map((k) => ({ fill: expressionColour(panel.columns[k].label), stroke: css("panel"), width: 0.75, points: { show: false } })),
    data: [TIMES, ...order.map((k) => stacked[k])],
  });
}

function bandKeys(panel) {
  return panel.columns.map(({ label, about }) => ({ label, about, colour: `var(--expression-${label})` }));
}

function bandTexts(panel, person, time) {
  return panel.columns.map(({ name }) => plain(valueAt(person, name, time)));
}
