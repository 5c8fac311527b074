// Rows: a line a column, one above the other, each on a scale of its own, for columns that share no unit.

const ROW_OF_LINE = 30;   // px

function drawRows(panel, plot, source) {
  const lines = panel.columns.map(({ name }, k) => {
    const values = source.of(name);
    const [low, high] = extremes(values.filter((value) => value !== null));
    const room = high - low || 1;
    return values.map((value) => (value === null ? null : k + 0.88 - 0.76 * ((value - low) / room)));
  });
  return drawPlot(plot, {
    height: ROW_OF_LINE * lines.length, low: 0, high: lines.length, down: true, splits: lines.map((_line, k) => k), labels: lines.map(() => ""),
    series: lines.map(() => ({ stroke: css("curve-1"), width: 1.5, points: { show: false } })), data: [source.times, ...lines],
  });
}

// Smallest and largest, without handing an hour of numbers to one call.
function extremes(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function rowKeys(panel) {
  return panel.columns.map(({ label, about }) => ({ label, about }));
}

function rowTexts(panel, source, time) {
  return panel.columns.map(({ name, unit, decimals }) => {
    const value = source.at(name, time);
    return value === null ? NOTHING : `${plain(value, decimals)} ${unit}`.trim();
  });
}
