// What was measured: the JSON island, with its base64 arrays opened when they are first needed.

const DATA = JSON.parse(document.getElementById("data").textContent);
const TIMES = DATA.times;
const [START, STOP] = DATA.span;                    // s, of pictures and sound together
const [FIRST_PICTURE, LAST_PICTURE] = DATA.pictures;   // s
const PEOPLE = DATA.people;
const LASTS = STOP > START;                         // false for a still image
const NOT_MEASURED = -32768;
const NOBODY = -1;                                  // a voice of nobody visible

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
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

// The point nearest to a time.
function indexAt(time) {
  const left = lastAtMost(TIMES, time);
  const right = Math.min(left + 1, TIMES.length - 1);
  return Math.abs(TIMES[right] - time) < Math.abs(time - TIMES[left]) ? right : left;
}

// What panels draw: `times` and `of(name)` are the points of a curve, `at(name, time)` is the value at a moment.
function faceSource(person) {
  return { times: TIMES, smooth: true, of: (name) => series(person, name), at: (name, time) => valueAt(person, name, time) };
}

function valueAt(person, name, time) {
  const inside = TIMES.length && time >= FIRST_PICTURE && time <= LAST_PICTURE;
  return inside ? series(person, name)[indexAt(time)] : null;
}

function mean(values) {
  const measured = values.filter((value) => value !== null);
  return measured.length ? measured.reduce((sum, value) => sum + value, 0) / measured.length : null;
}

// Centred moving average over `seconds`; what is not measured stays so and does not count.
function smoothed(values, seconds, times = TIMES) {
  const total = [0];
  const count = [0];
  values.forEach((value, i) => {
    total.push(total[i] + (value ?? 0));
    count.push(count[i] + (value === null ? 0 : 1));
  });
  let low = 0;
  let high = 0;
  return values.map((value, i) => {
    while (times[low] < times[i] - seconds / 2) low++;
    while (high < times.length && times[high] <= times[i] + seconds / 2) high++;
    return value === null ? null : (total[high] - total[low]) / (count[high] - count[low]);
  });
}

function panelOf(component) {
  return DATA.panels.find((panel) => panel.component === component);
}
