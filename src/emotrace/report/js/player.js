// The video or picture, its controls and the keyboard. The video drives the playhead; where it cannot be had, the reader does.

const PLAY = "M4 2.5v11l9-5.5z";
const PAUSE = "M4 2.5h3v11H4zM9 2.5h3v11H9z";
const SPEEDS = [0.25, 0.5, 1, 1.5, 2];

const player = { video: null, stage: null, usable: false };

function seek(time) {
  const target = clamp(time, START, STOP);
  if (player.usable && !reaches(target)) {
    lose(`This server cannot seek in the ${WHAT} (it answers no Range requests); open the report from disk, or choose the file.`);
  }
  if (player.usable) player.video.currentTime = target + INSIDE;
  change("time", target);
}

// A browser goes elsewhere than asked, without a word, where it cannot seek.
function reaches(time) {
  const { seekable, duration } = player.video;
  return seekable.length > 0 && seekable.end(seekable.length - 1) >= Math.min(time, duration);
}

// The reader's time no longer follows what plays, nor the other way round.
function lose(why) {
  player.usable = false;
  player.video.pause();
  showMissing(why, true);
  player.video.dispatchEvent(new Event("usable"));
}

function togglePlay() {
  if (!player.usable) return;
  if (player.video.paused) player.video.play().catch(showUnplayable);
  else player.video.pause();
}

const WHAT = DATA.media.image ? "picture" : DATA.media.pictures ? "video" : "recording";

// A pause that comes before the first frame is no failure; every other one is.
function showUnplayable(error) {
  if (error.name !== "AbortError") showMissing(`The ${WHAT} cannot be played (${error.message}); timelines still work.`, true);
}

function buildPlayer(holder) {
  const { media } = DATA;
  player.stage = el("div", { class: "stage" });
  player.stage.style.aspectRatio = String(media.aspect);
  player.stage.style.maxWidth = `min(100%, calc(52vh * ${media.aspect}))`;
  player.notice = el("div", { class: "unplayable", hidden: true });
  holder.append(...(media.pictures ? [player.stage] : []), player.notice);
  if (media.image) showPicture(media.source);
  else if (media.pictures) showVideo(holder, media.source);
  else showRecording(holder, media.source);
}

function showPicture(source) {
  const picture = el("img", { class: "picture", alt: DATA.title });
  picture.addEventListener("error", () => showMissing("The picture cannot be reached from here; the numbers are all the same."));
  picture.src = source;
  player.stage.append(picture);
}

function showVideo(holder, source) {
  const video = el("video", { class: "picture", preload: "metadata", playsInline: true, "aria-label": DATA.title });
  drive(holder, video, source);
  player.stage.append(video);
  player.stage.addEventListener("click", (event) => event.target === video && togglePlay());
}

function showRecording(holder, source) {
  const audio = el("audio", { preload: "metadata", "aria-label": DATA.title });
  holder.append(audio);
  drive(holder, audio, source);
}

// What plays drives the playhead, and is driven by controls of our own.
function drive(holder, video, source) {
  player.video = video;
  const missing = () => lose(`The ${WHAT} cannot be reached or played from here; timelines still work.`);
  video.addEventListener("error", missing);
  video.addEventListener("loadedmetadata", () => {
    if (DATA.media.pictures && !video.videoWidth) return missing();   // sound that can be played beside pictures that cannot
    player.usable = true;
    player.notice.hidden = true;
    player.stage.classList.remove("missing");
    video.dispatchEvent(new Event("usable"));
    if (state.time > 0) seek(state.time);
  });
  follow(video);
  holder.append(buildControls(video));
  if (source) video.src = source;
  else missing();
}

function follow(video) {
  // The first frame may be shown before the metadata is announced, which is when the reader's place is sought: not followed.
  const moved = (time) => player.usable && !video.seeking && change("time", clamp(time, START, STOP));
  video.addEventListener("seeked", () => moved(video.currentTime));
  if (!DATA.media.pictures) {
    const step = () => {
      if (video.paused) return;
      moved(video.currentTime);
      requestAnimationFrame(step);
    };
    video.addEventListener("play", step);
  } else if ("requestVideoFrameCallback" in video) {
    const behind = () => video.currentTime > LAST_PICTURE;   // sound that goes on; the last frame stays, and tells its own time
    const step = (_now, frame) => {
      moved(behind() ? video.currentTime : frame.mediaTime);
      video.requestVideoFrameCallback(step);
    };
    video.requestVideoFrameCallback(step);
    video.addEventListener("timeupdate", () => behind() && moved(video.currentTime));
  } else {
    video.addEventListener("timeupdate", () => moved(video.currentTime));
  }
}

function showMissing(text, mayChoose = false) {
  player.stage.classList.add("missing");
  player.notice.hidden = false;
  player.notice.replaceChildren(el("p", {}, text));
  if (!mayChoose) return;
  const input = el("input", { type: "file", accept: `${DATA.media.pictures ? "video" : "audio"}/*`, "aria-label": `Choose the ${WHAT} file` });
  input.addEventListener("change", () => {
    if (!input.files.length) return;
    player.usable = false;
    player.video.src = URL.createObjectURL(input.files[0]);
  });
  player.notice.append(el("label", { class: "choose" }, "Choose the file \u2026", input));
}

function buildControls(video) {
  const play = el("button", { class: "play", type: "button", "aria-label": "Play", onclick: togglePlay }, icon(PLAY));
  const now = el("span", { class: "now", role: "timer", "aria-label": "Time" });   // not read out while it runs
  const scrub = el("input", { type: "range", class: "scrub", min: START, max: STOP, step: 0.01, "aria-label": "Position" });
  scrub.addEventListener("input", () => seek(Number(scrub.value)));
  const speed = el("select", { "aria-label": "Speed", onchange: () => { video.playbackRate = Number(speed.value); } },
    ...SPEEDS.map((value) => el("option", { value, selected: value === 1 }, `${value} \u00d7`)));
  const sound = el("input", { type: "checkbox", checked: true, onchange: () => { video.muted = !sound.checked; } });
  const boxes = el("input", { type: "checkbox", checked: true, onchange: () => change("boxes", boxes.checked) });
  const drawPlay = () => {
    play.replaceChildren(icon(video.paused ? PLAY : PAUSE));
    play.setAttribute("aria-label", video.paused ? "Play" : "Pause");
  };
  video.addEventListener("play", drawPlay);
  video.addEventListener("pause", drawPlay);
  video.addEventListener("usable", () => { play.disabled = !player.usable; });
  const drawTime = () => {
    write(now, `${clockText(state.time)} / ${clockText(STOP)}`);
    scrub.value = state.time;
    scrub.setAttribute("aria-valuetext", clockText(state.time));
  };
  watch("time", drawTime);
  drawTime();
  return el("div", { class: "controls" }, play, now, scrub, speed,
    DATA.media.sound ? el("label", {}, sound, "sound") : null,
    DATA.media.pictures ? el("label", {}, boxes, "faces") : null);
}

// Space plays and arrows move, except where the focused thing has its own use for them. A button that was pressed with the
// mouse keeps the focus but not the space bar; one reached with the Tab key has it. (:focus-visible cannot tell: it becomes
// true with any key.)
function listenToKeys() {
  let tabbed = false;
  document.addEventListener("pointerdown", () => { tabbed = false; }, { capture: true });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Tab") tabbed = true;
    const focused = document.activeElement;
    if (focused.matches("select, input[type=file]")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && LASTS) seek(state.time + step);
    else if (event.key === "Escape") change("zoom", null);
    else if (["+", "-"].includes(event.key) && LASTS) zoomBy(event.key === "+" ? 0.5 : 2);
    else if (event.key === " " && player.video && !(tabbed && focused.matches("button, summary, input[type=checkbox]"))) {
      focused.blur();   // a button left focused by the mouse would be pressed again
      togglePlay();
    } else return;
    event.preventDefault();
  });
}
