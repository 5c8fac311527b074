"""Heard: until when there was sound, and what a reader of the numbers should know about it."""

from __future__ import annotations

import math

import numpy as np

from emotrace.hearing import WINDOW, wanted
from emotrace.settings import Settings
from emotrace.store import Store
from emotrace.video import Video
from emotrace.voice.activity import HOP_SECONDS, SAMPLE_RATE
from emotrace.voice.speaker import often_enough

SILENT = -90.0               # dB; below the last bit of 16
FAINT = -40.0                # dB, of the loudest 32 ms; below it speech begins to be missed, two fifths of a vlog's at -50
MOVES, LONG = 10.0, 0.5      # dB above its quietest tenth, and for how long (s): speech does, the noise of a room does not
LOUD = -20.0                 # dB, that its loudest 32 ms are advised to have
CLIPPED, MUCH_CLIPPED = 0.999, 0.01   # full scale, and the share of 32 ms stretches that reach it from which it is reported
APART = 1.0                  # s by which sound may end before or after the pictures before it is reported


def heard_until(store: Store) -> float:
    """Time (s) at which the sound ends, -inf where none was heard; the last stretch of 32 ms counts whole."""
    ends = [part["time"][-1].as_py() + HOP_SECONDS for part in store.read("sound", ["time"]) if len(part)]
    return float(max(ends, default=-math.inf))


def warnings_of(
    video: Video, settings: Settings, store: Store, last_picture: float | None, end: float
) -> list[str]:
    """What a reader of the numbers should know about the sound.

    Args:
        video: the file.
        settings: what was measured; nothing is known of a sound that was not to be heard.
        store: with all parts of the sound.
        last_picture: s, time of the last frame; None where there is none.
        end: s, of the sound; see `heard_until`.
    """
    parts = [[part[name].to_numpy() for name in ("level", "peak")] for part in store.read("sound")]
    if not parts:
        if not (video.has_sound and wanted(settings)):
            return []
        first = next(video.sound(SAMPLE_RATE), None)
        if first is None:
            return ["the file says it has sound, but none could be decoded"]
        return [f"no sound lies between start and end; it begins at {first.time:.2f} s"]
    level, peak = (np.concatenate(column) for column in zip(*parts, strict=True))
    found = []
    if video.sound_tracks > 1:
        pictures = "-map 0:v " if video.has_pictures else ""
        found.append(f"the file has {video.sound_tracks} sound tracks, of which the first is heard; for the second give what "
                     f"`ffmpeg -i IN {pictures}-map 0:a:1 -c copy OUT` makes")  # fmt: skip
    loudest = float(np.nanmax(level))
    if not loudest > SILENT:
        return [*found, "the sound is silent throughout; the voice is not measured"]
    moving = float((level > np.nanpercentile(level, 10) + MOVES).sum()) * HOP_SECONDS
    if loudest < FAINT and moving >= LONG:
        found.append(f"the sound is faint, {loudest:.0f} dB where it is loudest, and speech in it may be missed; give what "
                     f"`ffmpeg -i IN -c:v copy -af volume={LOUD - loudest:.0f}dB OUT` makes")  # fmt: skip
    if (alone := store.heard().get("alone", 0.0)) >= 1:
        found.append(f"the two channels of the sound cancel each other when they are mixed in {alone:.0f} s of it (one is of "
                     "opposite phase, as from a cable wired wrongly); there the left one is heard alone")  # fmt: skip
    if 0 < video.sound_rate < SAMPLE_RATE:
        rate = video.sound_rate
        found.append(f"the sound is sampled at {rate} Hz: what a voice has above {rate // 2} Hz is missing")
    clipped = float((peak >= CLIPPED).mean())
    if clipped > MUCH_CLIPPED:
        found.append(f"the sound is clipped in {clipped:.0%} of its stretches of 32 ms; loudness and jitter are off there")
    if video.has_pictures and not video.is_image and not often_enough(settings.rate, video.rate, WINDOW):
        found.append("too few pictures a second were analysed to see who speaks; nobody is said to")
    if last_picture is not None and not video.is_image and abs(end - last_picture) > APART:
        found.append(f"the sound ends at {end:.2f} s, the pictures at {last_picture:.2f} s")
    return found
