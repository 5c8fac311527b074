// Windows of sound and fusion: each stands for its own stretch of the clock, without overlap.

// When windows begin, and when they end, which is kept in turn.
function windowsOf(times) {
  const edges = secondsOf(times);
  return [0, 1].map((side) => edges.filter((_, i) => i % 2 === side));
}

const [FROM, TO] = windowsOf(DATA.windows);
const STEPS_OF_WINDOWS = stepTimes(FROM, TO);
const TURNS = DATA.sound?.turns ?? [];
const SPOKEN = TURNS.length > 0;
const TURN_STARTS = TURNS.map(([from]) => from);

// Number of the window that stands for a moment, -1 where none does.
function windowAt(time) {
  const i = lastAtMost(FROM, time);
  return FROM.length && time >= FROM[i] && time <= TO[i] ? i : -1;
}

function windowSeries(packed) {
  if (!opened.has(packed)) opened.set(packed, openSeries(packed, FROM.length));
  return opened.get(packed);
}

function windowValue(packed, time) {
  const i = windowAt(time);
  return i < 0 ? null : windowSeries(packed)[i];
}

const VOICE_SOURCE = DATA.voice && {
  times: STEPS_OF_WINDOWS,
  smooth: false,
  of: (name) => stepped(windowSeries(DATA.voice.series[name])),
  at: (name, time) => windowValue(DATA.voice.series[name], time),
};

// Who speaks at a moment: index of a person, NOBODY, or null where it is silent or cannot be told.
function speakerAt(time) {
  const i = lastAtMost(TURN_STARTS, time);
  return TURNS.length && time >= TURNS[i][0] && time < TURNS[i][1] ? TURNS[i][2] : null;
}

function nameOf(person) {
  if (person === NOBODY && !DATA.media.pictures) return "voice";
  if (person === NOBODY) return DATA.sought ? "nobody visible" : "somebody";
  return PEOPLE[person]?.name ?? "\u2026";
}

function speakerColour(person) {
  return person === NOBODY && !DATA.media.pictures ? css("accent") : personColour(person);
}

// Turns as a lane between two heights of a plot.
function drawTurns(u, low, high, inset = 0) {
  u.ctx.save();
  for (const [from, to, person] of TURNS) {
    u.ctx.fillStyle = speakerColour(person);
    fillSpan(u, from, to, low, high, inset);
  }
  u.ctx.restore();
}
