"""How far the voice features agree with openSMILE and with Praat on real speech.

    pip install 'emotrace[opensmile]' praat-parselmouth
    python bench/voice_reference.py RAVDESS [--every 30]

RAVDESS is a folder of the corpus; every 30th clip is heard. Either reference is left out where it is not installed. Numbers
go to docs/voice-features.md.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrace.scheme import EGEMAPS_FUNCTIONALS
from emotrace.views import VoiceSamples
from emotrace.voice import balance
from emotrace.voice.egemaps import LEAD, EgemapsLike
from emotrace.voice.loudness import power_spectrum
from emotrace.voice.periods import periods
from emotrace.voice.pitch import CEILING, CHANGE_COST, FLOOR, JUMP_COST, OCTAVE_COST, SILENCE, STEP, VOICING, pitch
from voice import heard

RATE = 16000
Sound = NDArray[np.float32]


def line(name: str, ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    """One row of the table."""
    known = np.isfinite(ours) & np.isfinite(theirs)
    r = np.corrcoef(ours[known], theirs[known])[0, 1]
    print(f"| {name} | {r:.2f} | {ours[known].mean():.3g} | {theirs[known].mean():.3g} |")


def agreement(ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    """How far the pitch of frames agrees, Hz, NaN where unvoiced; (t,) each."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    near = (np.abs(ours[both] / theirs[both] - 1) < 0.05).mean()
    agree = (np.isfinite(ours) == np.isfinite(theirs)).mean()
    print(f"pitch of frames both call voiced: within 5 % in {near:.1%}; voiced or not alike in {agree:.1%} of frames\n")


def with_opensmile(sounds: list[Sound]) -> None:
    """Pitch frame by frame, then every functional of a clip."""
    import opensmile

    from emotrace.voice.opensmile import EgemapsV02

    frames = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.LowLevelDescriptors)
    pairs = []
    for sound in sounds:
        theirs = frames.process_signal(sound, RATE)["F0semitoneFrom27.5Hz_sma3nz"].to_numpy()
        ours = pitch(sound[None], RATE).hz[0]
        count = min(len(ours), len(theirs))   # frames of 50 and of 60 ms, both every 10 ms
        pairs.append(np.stack([ours[:count], np.where(theirs[:count] > 0, 27.5 * 2 ** (theirs[:count] / 12), np.nan)]))
    agreement(*np.concatenate(pairs, axis=1))
    clips = [VoiceSamples.whole(sound, RATE) for sound in sounds]
    tables = [np.concatenate([extractor.extract(clip) for clip in clips]) for extractor in (EgemapsLike(), EgemapsV02())]
    print("| functional | r | ours | openSMILE |\n|---|---|---|---|")
    for column, name in enumerate(EGEMAPS_FUNCTIONALS):
        line(f"`{name}`", tables[0][:, column], tables[1][:, column])


def with_praat(sounds: list[Sound]) -> None:
    """Pitch of frames, jitter, shimmer and harmonicity of clips, formants of frames."""
    import parselmouth
    from parselmouth.praat import call

    clips, frames, pitches = [], [], []
    for sound in sounds:
        track = pitch(sound[None], RATE)
        at = np.flatnonzero(track.voiced[0])
        pairs = periods(sound[None], RATE, track)
        theirs = parselmouth.Sound(sound.astype(np.float64), RATE)
        course = theirs.to_pitch_ac(
            STEP, FLOOR, silence_threshold=SILENCE, voicing_threshold=VOICING, octave_cost=OCTAVE_COST,
            octave_jump_cost=JUMP_COST, voiced_unvoiced_cost=CHANGE_COST, pitch_ceiling=CEILING,
        )  # fmt: skip
        near = parselmouth.ValueInterpolation.NEAREST
        hz = [course.get_value_at_time(moment, interpolation=near) for moment in track.centre / RATE]
        pitches.append(np.stack([track.hz[0], hz]))
        marks = call(theirs, "To PointProcess (periodic, cc)", FLOOR, CEILING)
        limits = (0, 0, 0.0001, 0.02, 1.3)
        clips.append([
            np.nanmean(pairs.jitter), call(marks, "Get jitter (local)", *limits),
            np.nanmean(pairs.shimmer), call([theirs, marks], "Get shimmer (local_dB)", *limits, 1.6),
            np.nanmean(track.hnr), call(call(theirs, "To Harmonicity (cc)", 0.01, FLOOR, 0.1, 1.0), "Get mean", 0, 0),
        ])  # fmt: skip
        tracks = call(theirs, "To Formant (burg)", 0.0, 5, 5500, 0.025, 50)
        power = power_spectrum(sound[None], RATE)[0][np.minimum(at + LEAD, len(track.centre))]
        ours = balance.formants(power.astype(np.float64), np.linspace(0.0, RATE / 2, power.shape[1]))[0]
        moments = [track.centre[i] / RATE for i in at]
        frames.append(np.stack([ours, [[tracks.get_value_at_time(k, moment) for k in (1, 2, 3)] for moment in moments]]))
    print()
    agreement(*np.concatenate(pitches, axis=1))
    print("| measure | r | ours | Praat |\n|---|---|---|---|")
    table = np.array(clips)
    for column, name in enumerate(("jitter of a clip", "shimmer of a clip, dB", "harmonics-to-noise ratio of a clip, dB")):
        line(name, table[:, 2 * column], table[:, 2 * column + 1])
    joined = np.concatenate(frames, axis=1)
    for k in range(3):
        line(f"formant {k + 1} of a frame, Hz", joined[0, :, k], joined[1, :, k])
        print(f"median difference of formant {k + 1}: {np.nanmedian(np.abs(joined[0, :, k] / joined[1, :, k] - 1)):.1%}")


def main() -> None:
    """Compare with what is installed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--every", type=int, default=30)
    choice = parser.parse_args()
    sounds = [heard(clip, RATE) for clip in sorted(choice.corpus.glob("Actor_*/*"))[:: choice.every]]
    print(f"{len(sounds)} clips")
    for library, compare in (("opensmile", with_opensmile), ("parselmouth", with_praat)):
        if importlib.util.find_spec(library):
            compare(sounds)
        else:
            print(f"{library} is left out: it is not installed")


if __name__ == "__main__":
    main()
