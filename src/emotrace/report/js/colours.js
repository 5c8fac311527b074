// Colours: fixed for a person and for an expression, told apart also by colour-blind readers, fitted to light and dark.

// After Paul Tol's "vibrant" set, in an order in which neighbours differ most.
const PERSON_COLOURS = ["#33bbee", "#ee7733", "#ee3377", "#11a58f", "#ccbb44", "#aa66cc", "#0077bb", "#cc3311"];
// After viridis: even steps of lightness.
const TIME_COLOURS = [[68, 1, 84], [65, 68, 135], [42, 120, 142], [34, 168, 132], [122, 209, 81], [253, 231, 37]];
const TIME_COLOURS_DARK = [[110, 60, 150], [90, 100, 180], [52, 140, 165], [44, 178, 142], [130, 214, 90], [253, 231, 37]];

const scheme = matchMedia("(prefers-color-scheme: dark)");
scheme.addEventListener("change", () => watchers.theme.forEach((draw) => draw()));

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function personColour(index) {
  return index < 0 ? "#a0a4a8" : PERSON_COLOURS[index % PERSON_COLOURS.length];
}

function expressionColour(label) {
  return css(`expression-${label}`) || css("muted");
}

function mix(stops, share) {
  const place = clamp(share, 0, 1) * (stops.length - 1);
  const left = Math.min(Math.floor(place), stops.length - 2);
  return stops[left].map((value, i) => Math.round(value + (stops[left + 1][i] - value) * (place - left)));
}

function timeColour(share) {
  return `rgb(${mix(scheme.matches ? TIME_COLOURS_DARK : TIME_COLOURS, share).join(" ")})`;
}

function heatStops() {
  return ["heat-low", "heat-middle", "heat-high"].map((name) => css(name).split(" ").map(Number));
}
