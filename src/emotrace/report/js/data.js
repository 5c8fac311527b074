// What was measured: the JSON island, with its base64 arrays opened when they are first needed.

const DATA = JSON.parse(document.getElementById("data").textContent);
const TIMES = DATA.times;                           // s, from when on each point holds ...
const ENDS = DATA.ends;                             // ... and until when
const HOLDS = TIMES.map((start, i) => Math.max(ENDS[i] - start, 0.001));   // s; more than nothing also for a still image
const [START, STOP] = DATA.span;                    // s, of pictures and sound together
const [FIRST_PICTURE, LAST_PICTURE] = DATA.pictures;   // s
const PEOPLE = DATA.people;
const LASTS = STOP > START;                         // false for a still image
const NOT_MEASURED = -32768;
const NOBODY = -1;                                  // a voice of nobody visible, or of whom was not looked for
const INSIDE = 0.001;   // s; a browser's time of a frame may lie a little before the frame's own, and a seek to it show the one before

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

// Times in s; some clocks count from 1970, so they are kept as ms from the first one on.
function secondsOf({ first, ms }) {
  return Array.from(new Int32Array(bytesOf(ms)), (number) => first + number / 1000);
}

const opened = new Map();

// One series of one person over TIMES; null where not measured.
function series(person, name) {
  const key = `${person}/${name}`;
  if (!opened.has(key)) opened.set(key, openSeries(PEOPLE[person].series[name], TIMES.length));
  return opened.get(key);
}

function openSeries(packed, length) {
  const values = new Array(length).fill(null);
  new Int16Array(bytesOf(packed.data)).forEach((number, i) => {
    if (number !== NOT_MEASURED) values[packed.start + i] = number * packed.scale;
  });
  return values;
}

// Last position whose value is at most `value`; 0 where there is none.
function lastAtMost(values, value, low = 0, high = values.length - 1) {
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

// The point that holds at a time, the one of the frame on the screen; -1 where none does.
function indexAt(time) {
  const i = lastAtMost(TIMES, time + INSIDE);
  return TIMES.length && time + INSIDE >= TIMES[i] && time <= ENDS[i] ? i : -1;
}

// A line of steps, level from the start to the end of each point, so that one alone is seen and nothing slopes across a cut or a gap.
function stepTimes(from, to) {
  return from.flatMap((start, i) => [start, to[i], to[i]]);
}

function stepped(values) {
  return values.flatMap((value) => [value, value, null]);
}

const SHOT = TIMES.map((_time, i) => lastAtMost(DATA.shots, i));   // which shot each point lies in

const STEPS_OF_POINTS = stepTimes(TIMES, ENDS);

// What panels draw: `times` and `of(name)` are the points of a line, `at(name, time)` is the value at a moment, `points(name)` are
// the values over TIMES. `smooth` is a moving average over so many seconds, where bands are drawn as one.
function faceSource(person) {
  return {
    times: STEPS_OF_POINTS,
    smooth: true,
    of: (name, smooth = 0) => stepped(smooth ? smoothed(series(person, name), smooth) : series(person, name)),
    at: (name, time) => valueAt(person, name, time),
    points: (name) => series(person, name),
  };
}

function valueAt(person, name, time) {
  const i = indexAt(time);
  return i < 0 ? null : series(person, name)[i];
}

// Mean of values over TIMES, each for as long as it holds; null where nothing is measured.
function mean(values) {
  const [total, whole] = values.reduce(
    ([sum, time], value, i) => (value === null ? [sum, time] : [sum + value * HOLDS[i], time + HOLDS[i]]), [0, 0]);
  return whole ? total / whole : null;
}

// Centred moving average over `seconds`, within a shot; what is not measured stays so and does not count. A point counts for as
// long as it holds, at most half the window.
function smoothed(values, seconds) {
  const total = [0];
  const whole = [0];
  values.forEach((value, i) => {
    const weight = value === null ? 0 : Math.min(HOLDS[i], seconds / 2);
    total.push(total[i] + value * weight);
    whole.push(whole[i] + weight);
  });
  let low = 0;
  let high = 0;
  return values.map((value, i) => {
    while (TIMES[low] < TIMES[i] - seconds / 2 || SHOT[low] < SHOT[i]) low++;
    while (high < TIMES.length && TIMES[high] <= TIMES[i] + seconds / 2 && SHOT[high] === SHOT[i]) high++;
    return value === null ? null : (total[high] - total[low]) / (whole[high] - whole[low]);
  });
}

function panelOf(component) {
  return DATA.panels.find((panel) => panel.component === component);
}
