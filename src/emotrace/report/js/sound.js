// The sound: its waveform in the colours of who speaks, and below it their turns as a lane.

const WAVE = 60;          // px
const SPEECH_LANE = 20;   // px
const QUIETEST = -120;    // dB

const wave = DATA.sound && {
  ...DATA.sound.wave,
  level: openSeries(DATA.sound.wave.level, DATA.sound.wave.count),
  peak: openSeries(DATA.sound.wave.peak, DATA.sound.wave.count),
};

function buildSound(holder) {
  const nobody = TURNS.some(([, , person]) => person === NOBODY);
  const who = DATA.sought ? `In the colour of who speaks${nobody ? ", grey for nobody visible" : ""}` : "Too few pictures a second were analysed to see who";
  const colours = DATA.media.pictures ? `${who}; pale is other sound.` : "Pale is sound without speech.";
  const { frame, plot, values } = buildFrame(DATA.media.pictures ? "Who speaks when" : "Sound and speech",
    `${SPOKEN ? colours : "Nobody is found to speak."} Drawn to the loudest moment.`);
  holder.append(frame);
  const update = buildValues(values, [
    ...(DATA.media.pictures ? [{ label: "speaks" }, { label: "sureness", about: "share of the evidence for the speaker against all others and nobody visible" }] : []),
    { label: "speech", about: "share of the window of 2 s in which somebody speaks" },
    { label: "level", about: "root mean square against full scale" },
  ]);
  const tell = () => {
    const time = shownTime();
    const { speech, speaker_score: score } = DATA.voice.series;
    const sure = speakerAt(time) === null ? NOTHING : plain(windowValue(score, time));
    update([...(DATA.media.pictures ? [speakerText(time) || NOTHING, sure] : []), plain(windowValue(speech, time)), levelText(time)]);
  };
  keepUp(() => drawPlot(plot, {
    height: WAVE + SPEECH_LANE, low: 0, high: WAVE + SPEECH_LANE, down: true,
    splits: [WAVE / 2, WAVE + SPEECH_LANE / 2], labels: ["sound", "speech"], draw: drawSound,
    tell: (time) => speakerText(time),
  }), tell);
}

function speakerText(time) {
  const speaker = speakerAt(time);
  return speaker === null ? "" : nameOf(speaker);
}

function levelText(time) {
  const level = wave.level[Math.floor((time - wave.start) / wave.step)] ?? null;
  if (level === null) return NOTHING;
  return `${plain(Math.max(20 * Math.log10(level), QUIETEST), 0)} dB`;
}

function drawSound(u) {
  const { ctx: context, bbox } = u;
  const loudest = wave.peak.reduce((most, peak) => Math.max(most, peak ?? 0), 0) || 1;
  const peaks = bandPath(u, wave.peak, loudest);
  const levels = bandPath(u, wave.level, loudest);
  context.save();
  context.beginPath();
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  context.clip();
  context.fillStyle = css("muted");
  context.globalAlpha = 0.4;
  context.fill(peaks);
  DATA.sound.speech.forEach(([from, to]) => fillSpan(u, from, to, WAVE, WAVE + SPEECH_LANE, 3));
  for (const person of new Set(TURNS.map(([, , who]) => who))) fillTurns(u, person, peaks, levels);
  context.restore();
  drawTurns(u, WAVE, WAVE + SPEECH_LANE, 3);
}

// A symmetrical band around the middle of the waveform's height; where there is no sound it has no height.
function bandPath(u, values, loudest) {
  const path = new Path2D();
  const middle = u.valToPos(WAVE / 2, "y", true);
  const half = (middle - u.valToPos(2, "y", true)) / loudest;
  const place = values.map((value, i) => [u.valToPos(wave.start + (i + 0.5) * wave.step, "x", true), (value ?? 0) * half]);
  place.forEach(([x, height]) => path.lineTo(x, middle - Math.max(height, 0.5)));
  place.reverse().forEach(([x, height]) => path.lineTo(x, middle + Math.max(height, 0.5)));
  path.closePath();
  return path;
}

// All that one person says, at once: a clip for each turn would take a second for an hour.
function fillTurns(u, person, peaks, levels) {
  const { ctx: context, bbox } = u;
  const turns = new Path2D();
  for (const [from, to, who] of TURNS) {
    const x = u.valToPos(from, "x", true);
    if (who === person) turns.rect(x, bbox.top, Math.max(u.valToPos(to, "x", true) - x, 1), bbox.height);
  }
  context.save();
  context.clip(turns);
  context.fillStyle = speakerColour(person);
  context.globalAlpha = 0.5;
  context.fill(peaks);
  context.globalAlpha = 1;
  context.fill(levels);
  context.restore();
}
