"""Makes golden_features.npz: short-term features by pyAudioAnalysis itself, of a sound that is made the same way anywhere.

    pip install pyAudioAnalysis==0.3.14 --no-deps && pip install matplotlib tqdm
    python tests/voice/golden_features.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_suffix(".npz")
CASES = {   # sample rate in Hz, window and step in samples
    "speech_16k": (16000, 800, 400),
    "music_44k": (44100, 2205, 2205),
    "odd_22k": (22050, 661, 301),
    "phone_8k": (8000, 400, 200),
}


def golden_sound(sample_rate: int) -> NDArray[np.float64]:
    """0.7 s, -1..1 on a grid of 16 bits: a gliding tone with overtones, noise of a linear congruence, and 0.1 s of silence."""
    time = np.arange(int(0.7 * sample_rate)) / sample_rate
    state, noise = 12345, np.empty(len(time))
    for i in range(len(time)):
        state = (1103515245 * state + 12345) % 2**31
        noise[i] = state / 2**30 - 1.0
    phase = 2 * np.pi * (180 * time + 60 * time**2)
    sound = 0.3 * np.sin(phase) + 0.2 * np.sin(3 * phase) + 0.05 * np.cos(8 * phase) + 0.1 * noise * (time > 0.35) + 0.02
    sound[(time > 0.45) & (time < 0.55)] = 0.0
    return np.round(sound * 32767) / 32768


def main() -> None:
    """Write the file."""
    from pyAudioAnalysis import ShortTermFeatures  # here alone: the tests must not need it

    golden = {}
    for name, (rate, window, step) in CASES.items():
        values, _ = ShortTermFeatures.feature_extraction(golden_sound(rate) * 32768, rate, window, step, deltas=False)
        golden[name] = values.T
    np.savez_compressed(FILE, **golden)


if __name__ == "__main__":
    main()
