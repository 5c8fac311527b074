"""Hearing: the sound of a video, from its blocks to the tables `sound` and `voice`.

    Video.sound ─blocks─▶ stretches of a minute ─Activity─▶ speech ─windows in which somebody speaks─▶ extractors ─▶ tables

A stretch begins at a whole minute behind the first sound, is heard with a second of what was before it and of what comes
after it, and depends on nothing else: memory does not grow with length, and an interrupted analysis goes on at a stretch
with the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotrace import columns, registry
from emotrace.engine import Device
from emotrace.measure import Values, build, run_in_order
from emotrace.settings import Settings
from emotrace.sound import Sound
from emotrace.store import Store
from emotrace.video import Video
from emotrace.views import VoiceSamples
from emotrace.voice.activity import FRAME, SAMPLE_RATE, Activity, segments

if TYPE_CHECKING:
    import pyarrow as pa

STRETCH = 1875 * FRAME       # samples: a minute
LEAD = 32 * FRAME            # samples heard before a stretch, for the networks to warm up
WINDOW, STEP = 2.0, 1.0      # s; an expression needs a second or two of voice, and one word may change it
TAIL = round((WINDOW - STEP) * SAMPLE_RATE)
MIN_SPEECH = 0.25            # share of a window: half a second, less is a breath or a click
FLOOR = 1e-6                 # of the level: -120 dB, below 20 bits


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of sound with what surrounds it.

    Args:
        number: from 0.
        begin: s, time of its own first sample; a whole second.
        sound: (LEAD + own + TAIL,) float32; NaN where the file has no sound.
        own: samples that are its own; STRETCH but for the last one.
    """

    number: int
    begin: float
    sound: NDArray[np.float32]
    own: int


def stretches(blocks: Iterator[Sound], start: float, end: float) -> Iterator[Stretch]:
    """Put blocks of sound on a grid of stretches.

    Args:
        blocks: in order; they may leave gaps.
        start: s; sound before it is left out.
        end: s; sound from it on is left out.
    """
    size = LEAD + STRETCH + TAIL
    buffer, origin, number, filled = np.full(size, np.nan, np.float32), math.nan, 0, 0
    for block in blocks:
        samples, time = _between(block, start, end)
        if len(samples) == 0:
            continue
        if math.isnan(origin):
            origin = math.floor(time + FRAME / SAMPLE_RATE)   # an encoder's lead of some ms before 0 is no second of its own
        place = round((time - origin) * SAMPLE_RATE) + LEAD - number * STRETCH
        samples, place = samples[max(-place, 0) :], max(place, 0)   # what comes too late for its stretch is left out
        while len(samples):
            if place >= size:
                yield Stretch(number, origin + number * STRETCH / SAMPLE_RATE, buffer, STRETCH)
                buffer = np.concatenate([buffer[STRETCH:], np.full(STRETCH, np.nan, np.float32)])
                number, place, filled = number + 1, place - STRETCH, filled - STRETCH
                continue
            count = min(len(samples), size - place)
            buffer[place : place + count] = samples[:count]
            samples, place = samples[count:], place + count
            filled = max(filled, place)
    while filled > LEAD:
        yield Stretch(number, origin + number * STRETCH / SAMPLE_RATE, buffer, min(filled - LEAD, STRETCH))
        buffer = np.concatenate([buffer[STRETCH:], np.full(STRETCH, np.nan, np.float32)])
        number, filled = number + 1, filled - STRETCH


def _between(block: Sound, start: float, end: float) -> tuple[NDArray[np.float32], float]:
    """The samples of a block with start <= time < end, and the time of the first."""
    first = max(0, math.ceil((start - block.time) * SAMPLE_RATE)) if start > 0 else 0
    last = len(block.samples) if math.isinf(end) else max(first, math.ceil((end - block.time) * SAMPLE_RATE))
    return block.samples[first:last], block.time + first / SAMPLE_RATE


def starts(duration: float, at_least: int = 1) -> NDArray[np.float64]:
    """First moments (s) of the windows over a duration (s) from 0: each second is in one."""
    return np.arange(max(at_least, math.ceil(round(duration - (WINDOW - STEP), 6) / STEP)), dtype=np.float64) * STEP


class Listener:
    """Runs the chosen components on sound.

    Args:
        settings: what to measure.
        device: where networks that can choose run.
    """

    def __init__(self, settings: Settings, device: Device) -> None:
        lines = registry.with_needs(settings.components)
        self.activity = Activity()
        self.specs = [line for line in lines if line.view == "voice" and line.scheme is not None]
        self.extractors = {line.name: build(line.name, device) for line in self.specs}

    def tables(self, stretch: Stretch, last: bool) -> dict[str, pa.Table]:
        """The tables `sound` and `voice` of one stretch; `last` where none follows."""
        there = np.isfinite(stretch.sound)
        sound = np.where(there, stretch.sound, np.float32(0))
        self.activity.reset()
        speech = self.activity.update(sound) if there.any() else np.zeros(len(sound) // FRAME, np.float32)
        spoken = _spoken(speech)
        begins = starts(stretch.own / SAMPLE_RATE + (0 if last else WINDOW - STEP), 0 if stretch.number else 1)
        place = (begins * SAMPLE_RATE).astype(np.int64) + LEAD
        share = _share(spoken, place, there)
        samples = VoiceSamples(sound, SAMPLE_RATE, place, round(WINDOW * SAMPLE_RATE))
        return {
            "sound": _sound_table(stretch, there, speech),
            "voice": self._voice_table(stretch.begin + begins, share, samples, there),
        }

    def _voice_table(
        self, begins: NDArray[np.float64], share: NDArray[np.float32], samples: VoiceSamples, there: NDArray[np.bool_]
    ) -> pa.Table:
        import pyarrow as pa

        found: dict[str, object] = {
            "start": begins, "end": begins + WINDOW, "speech": share,
            "speaker": pa.nulls(len(begins), pa.string()), "speaker_score": np.full(len(begins), np.nan, np.float32),
        }  # fmt: skip
        values = self._measured(samples, np.flatnonzero(share >= MIN_SPEECH), there)
        for line in self.specs:
            assert line.scheme is not None
            found.update(zip(line.scheme.columns, values[line.name].T, strict=True))
        schema = columns.schema(columns.voice(line.name for line in self.specs))
        return pa.table([pa.array(found[field.name], field.type) for field in schema], schema=schema)

    def _measured(self, samples: VoiceSamples, spoken: NDArray[np.int64], there: NDArray[np.bool_]) -> Values:
        """Values of the windows in which somebody speaks, NaN for the others."""
        nothing = np.float32(np.nan)
        values = {line.name: np.full((len(samples), len(line.scheme or ())), nothing, np.float32) for line in self.specs}
        for rows, part in _with_sound(samples, spoken, there):
            for name, measured in run_in_order(self.specs, self.extractors, part, {}).items():
                values[name][rows] = measured
        return values


def _with_sound(
    samples: VoiceSamples, rows: NDArray[np.int64], there: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], VoiceSamples]]:
    """The given windows that the file has sound for throughout; then, one by one, the longest part with sound of each other."""
    known = np.lib.stride_tricks.sliding_window_view(there, samples.length)[samples.start[rows]]   # (n, length)
    whole = known.all(axis=1)
    yield rows[whole], samples[rows[whole]]
    for row, sounding in zip(rows[~whole], known[~whole], strict=True):
        begin, length = _longest(sounding)
        yield row[None], VoiceSamples(samples.sound, samples.sample_rate, samples.start[row][None] + begin, length)


def _longest(known: NDArray[np.bool_]) -> tuple[int, int]:
    """Where the longest run of True begins, and how long it is."""
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False)).reshape(-1, 2)
    length = edges[:, 1] - edges[:, 0]
    return int(edges[length.argmax(), 0]), int(length.max())


def _spoken(speech: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(frames,) True where a stretch of speech goes on, with hysteresis."""
    spoken = np.zeros(len(speech) + 1, np.int64)
    hop = FRAME / SAMPLE_RATE
    for column, sign in ((0, 1), (1, -1)):
        np.add.at(spoken, np.rint(segments(speech, hop)[:, column] / hop).astype(np.int64).clip(0, len(speech)), sign)
    return np.asarray(spoken.cumsum()[:-1] > 0)


def _share(spoken: NDArray[np.bool_], place: NDArray[np.int64], there: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Share of each window that is speech, NaN where it has no sound at all; windows begin at sample `place`."""
    edges = np.arange(len(spoken) + 1) * FRAME
    total = np.concatenate([[0.0], np.cumsum(spoken)]) * FRAME
    end = place + round(WINDOW * SAMPLE_RATE)
    spoken_samples = np.interp(end, edges, total) - np.interp(place, edges, total)
    heard = np.concatenate([[0], np.cumsum(there)])
    share = np.where(heard[end] > heard[place], spoken_samples / (WINDOW * SAMPLE_RATE), np.nan)
    return np.asarray(share, np.float32)


def _sound_table(stretch: Stretch, there: NDArray[np.bool_], speech: NDArray[np.float32]) -> pa.Table:
    import pyarrow as pa

    count = math.ceil(stretch.own / FRAME)
    own = stretch.sound[LEAD : LEAD + count * FRAME].reshape(count, FRAME)
    known = there[LEAD : LEAD + count * FRAME].reshape(count, FRAME)
    heard = known.any(axis=1)
    power = np.where(known, own, 0).astype(np.float64) ** 2
    level = 10 * np.log10(power.sum(axis=1) / np.maximum(known.sum(axis=1), 1) + FLOOR**2)
    schema = columns.schema(columns.SOUND)
    nothing = np.float32(np.nan)
    arrays = [
        stretch.begin + np.arange(count) * FRAME / SAMPLE_RATE,
        np.where(heard, level, nothing).astype(np.float32),
        np.where(heard, np.sqrt(power.max(axis=1, initial=0)), nothing).astype(np.float32),
        np.where(heard, speech[LEAD // FRAME : LEAD // FRAME + count], nothing).astype(np.float32),
    ]
    return pa.table(arrays, schema=schema)


def listen(video: Video, settings: Settings, store: Store, device: Device, step: Callable[[float], None]) -> None:
    """Hear a whole video into the parts of a store, going on where the store stands.

    Args:
        video: the file; nothing is done where it has no sound.
        settings: what to measure; nothing is done where no sound is `wanted`.
        store: gets a part a stretch.
        device: where networks that can choose run.
        step: told the time (s) reached.
    """
    done = store.heard()
    if not video.has_sound or not wanted(settings) or done.get("whole"):
        return
    listener = Listener(settings, device)
    waiting: Stretch | None = None
    alone = 0.0   # s of which one channel was heard

    def keep(stretch: Stretch, last: bool) -> None:
        if stretch.number >= done["parts"]:
            store.add_heard(stretch.number, listener.tables(stretch, last), {"whole": last, "alone": alone})
        step(stretch.begin + stretch.own / SAMPLE_RATE)

    def blocks() -> Iterator[Sound]:
        nonlocal alone
        for block in video.sound(SAMPLE_RATE):
            alone += block.alone * len(_between(block, settings.start, settings.end)[0]) / SAMPLE_RATE
            yield block

    for stretch in stretches(blocks(), settings.start, settings.end):
        if waiting is not None:
            keep(waiting, last=False)
        waiting = stretch
    if waiting is not None:
        keep(waiting, last=True)


def wanted(settings: Settings) -> bool:
    """Whether settings name a component of the voice."""
    return any(line.view == "voice" for line in registry.with_needs(settings.components))
