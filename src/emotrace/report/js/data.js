// What was measured: the JSON island, with its base64 arrays opened when they are first needed.

const DATA = JSON.parse(document.getElementById("data").textContent);
const TIMES = DATA.times;
const [START, STOP] = DATA.span;
const PEOPLE = DATA.people;
const IS_VIDEO = TIMES.length > 1;
const NOT_MEASURED = -32768;

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

const opened = new Map();

// One series of one person over TIMES; null where not measured.
function series(person, name) {
  const key = `${person}/${name}`;
  if (!opened.has(key)) opened.set(key, openSeries(PEOPLE[person].series[name]));
  return opened.get(key);
}

function openSeries(packed) {
  const values = new Array(TIMES.length).fill(null);
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

function valueAt(person, name, time) {
  return TIMES.length ? series(person, name)[indexAt(time)] : null;
}

function mean(values) {
  const measured = values.filter((value) => value !== null);
  return measured.length ? measured.reduce((sum, value) => sum + value, 0) / measured.length : null;
}

// Centred moving average over `seconds`; what is not measured stays so and does not count.
function smoothed(values, seconds) {
  const total = [0];
  const count = [0];
  values.forEach((value, i) => {
    total.push(total[i] + (value ?? 0));
    count.push(count[i] + (value === null ? 0 : 1));
  });
  let low = 0;
  let high = 0;
  return values.map((value, i) => {
    while (TIMES[low] < TIMES[i] - seconds / 2) low++;
    while (high < TIMES.length && TIMES[high] <= TIMES[i] + seconds / 2) high++;
    return value === null ? null : (total[high] - total[low]) / (count[high] - count[low]);
  });
}

function panelOf(component) {
  return DATA.panels.find((panel) => panel.component === component);
}
