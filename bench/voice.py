"""How many times faster than real time each set of voice features is, on one core.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/voice.py [--rounds 5] [--sound FILE]

The time is that of the process's one thread, so that other work on the machine hardly shows. Without a file, the sound is
made: a minute of voiced stretches with gliding pitch, noise and pauses; what `analyze` hears by default is timed on a minute of
real speech without pauses. Numbers go to the table in docs/performance.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace import samples
from emotrace.hearing import LEAD, SAMPLE_RATE, STRETCH, TAIL, Listener, Stretch
from emotrace.settings import Settings
from emotrace.video import Video
from emotrace.views import VoiceExtractor, VoiceSamples
from emotrace.voice.egemaps import EgemapsLike
from emotrace.voice.features import MidTerm
from emotrace.voice.log_mel import log_mel
from emotrace.voice.prosody import Prosody
from emotrace.voice.yaafe import YaafeLike

WINDOW, STEP = 2.0, 1.0   # s: as `analyze` cuts speech
CLIP = 5.0                # s: as corpora have it


def made(seconds: float, sample_rate: int) -> NDArray[np.float32]:
    """Voiced stretches of 0.6 s from 100 to 300 Hz in every second, the rest faint noise."""
    at = np.arange(int(seconds * sample_rate)) / sample_rate
    pitch = 200 + 100 * np.sin(2 * np.pi * at / 7)
    phase = np.cumsum(pitch) / sample_rate
    voiced = (2 * (phase % 1) - 1) * ((at % 1) < 0.6)
    noise = np.random.default_rng(0).normal(size=len(at))
    return (0.3 * voiced + 0.01 * noise).astype(np.float32)


def heard(path: Path, sample_rate: int) -> NDArray[np.float32]:
    """The sound of a file."""
    return np.concatenate([block.samples for block in Video.open(path).sound(sample_rate)])


def windows(sound: NDArray[np.float32], sample_rate: int, window: float, step: float) -> VoiceSamples:
    """The sound as windows."""
    length = min(round(window * sample_rate), len(sound))
    return VoiceSamples(sound, sample_rate, np.arange(0, len(sound) - length + 1, round(step * sample_rate)), length)


def times(work: Callable[[], object], rounds: int) -> float:
    """Median seconds of the processor."""
    work()
    found = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return statistics.median(found)


def minute_of_speech() -> Stretch:
    """The speech of a sample recording, again and again, as `analyze` hears it."""
    speech = heard(samples.path("obama"), SAMPLE_RATE)
    sound = np.tile(speech, 1 + (LEAD + STRETCH + TAIL) // len(speech))[: LEAD + STRETCH + TAIL]
    return Stretch(0, 0.0, sound, STRETCH)


def main() -> None:
    """Time every set and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sound", type=Path)
    choice = parser.parse_args()
    sounds = {rate: heard(choice.sound, rate) if choice.sound else made(60.0, rate) for rate in (16000, 48000)}
    sets: list[tuple[str, VoiceExtractor, int]] = [
        ("`Prosody` (8)", Prosody(), 16000), ("`MidTerm` (68)", MidTerm(), 16000), ("`EgemapsLike` (88)", EgemapsLike(), 16000),
        ("`YaafeLike` (1,506)", YaafeLike(), 16000), ("`YaafeLike` (1,506)", YaafeLike(), 48000),
    ]  # fmt: skip
    if importlib.util.find_spec("opensmile"):
        from emotrace.voice.opensmile import Compare2016, EgemapsV02, Interspeech2010

        names = ("eGeMAPSv02 (88)", "ComParE_2016 (6,373)", "IS10 (1,582)")
        kinds = (EgemapsV02, Compare2016, Interspeech2010)
        sets += [(f"openSMILE {name}", kind(), 16000) for name, kind in zip(names, kinds, strict=True)]
    else:
        print("openSMILE is left out: its extra is not installed", file=sys.stderr)
    seconds = len(sounds[16000]) / 16000
    print("| set | kHz | 2 s every 1 s | clips of 5 s |\n|---|---|---|---|")
    listener, minute = Listener(Settings(), "cpu"), minute_of_speech()
    default = STRETCH / SAMPLE_RATE / times(lambda: listener.tables(minute, True), choice.rounds)
    print(f"| all that `analyze` hears by default: speech, prosody, expression | 16 | {default:.0f} | |")
    mel = seconds / times(lambda: log_mel(sounds[16000]), choice.rounds)
    print(f"| `log_mel` | 16 | | {mel:.0f} |")
    for name, extractor, rate in sets:
        cuts = (windows(sounds[rate], rate, WINDOW, STEP), windows(sounds[rate], rate, CLIP, CLIP))
        speeds = [seconds / times(lambda: extractor.extract(cut), choice.rounds) for cut in cuts]  # noqa: B023 - called at once
        print(f"| {name} | {rate // 1000} | {speeds[0]:.0f} | {speeds[1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
