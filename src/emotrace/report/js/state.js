// What the reader looks at: playhead, pointer, person, zoom. Whoever draws one of them watches it.

const state = {
  time: TIMES.length ? FIRST_PICTURE : START,   // s, the playhead; sound may begin a moment before there is anything to see
  hover: null,      // s, where the pointer is on a plot
  person: 0,        // whose timelines are shown
  zoom: null,       // [from, to] in s, null for all
  boxes: true,      // whether faces are framed in the picture
};
const watchers = { time: [], hover: [], person: [], zoom: [], boxes: [], theme: [] };

function watch(names, draw) {
  for (const name of names.split(" ")) watchers[name].push(draw);
}

function change(name, value) {
  if (state[name] === value) return;
  state[name] = value;
  for (const draw of watchers[name]) draw();
}

function shownTime() {
  return state.hover ?? state.time;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
