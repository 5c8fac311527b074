"""The voice as the first blocks of Whisper tiny.en hear it, unchanged: mean and deviation over time of a block's output.

Frozen, it has learnt nothing of any emotion corpus, so it may be used where a corpus's own speakers must stay unheard.

Source: Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision; statistics over time are ours.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from emotrace.learn.networks.whisper import POSITIONS, TINY
from emotrace.learn.networks.whisper_files import pretrained
from emotrace.voice.log_mel import log_mel

BLOCKS = 2       # measured on RAVDESS by speaker: the second block's output tells emotions best
FEATURES = 2 * TINY.width
LONGEST = 2 * POSITIONS   # frames of the log-mel: 30 s


class FrozenWhisper:
    """Features of whole clips.

    Args:
        blocks: how many blocks of the encoder are run, 1..4.
    """

    def __init__(self, blocks: int = BLOCKS) -> None:
        self.encoder = pretrained(blocks).eval()

    @torch.no_grad()
    def features(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean and standard deviation over time, (s,) at 16 kHz -> (768,), of the first 30 s; NaN for less than 20 ms."""
        mel = log_mel(sound)[:LONGEST]
        if len(mel) < 2:
            return np.full(FEATURES, np.nan, np.float32)
        heard = self.encoder(torch.from_numpy(mel)[None])[0]  # (t, 384)
        return torch.cat([heard.mean(0), heard.std(0, correction=0)]).numpy()
