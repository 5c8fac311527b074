"""Varying voices on their log-mel spectrograms: a stretch of each clip, heard by another speaker in another room.

    clips ─stretch, speed, pitch─▶ (n, t, 80) ─another voice, noise, equaliser, level─▶ ─masks, mixing─▶ (n, t, 81), targets

Log-mels are Whisper's: a power of ten is a quarter. Everything is a few operations on whole batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import avg_pool1d, grid_sample, interpolate

from emotrace.learn.ranges import Above0, CountOrNone, From0, Share

BANDS = 80
PER_DECIBEL = 0.025    # of log-mel
DEEPEST = 2.0          # log-mel below the loudest that is cut off, as in `voice.log_mel`
FRAMES_PER_SECOND = 100
STEPS = 4              # lengths of stretches in a second; torch keeps kernels for each length, which takes memory
QUIET = 0.75           # log-mel below the loudest band: 30 dB; frames louder than that count as voice


@dataclass(frozen=True, slots=True)
class MelAugmentation:
    """How far voices are varied; pairs are ranges, drawn evenly.

    Args:
        seconds: length of the stretch that is heard; one length a batch.
        speed: factor on the tempo.
        pitch: factor on the place of bands, which moves pitch and formants together.
        level: dB, louder or softer.
        noise: dB of voice over noise.
        noisy: share of clips with noise.
        voice: dB of the voice over another one in the background.
        voices: share of clips with another voice.
        equaliser: dB, up or down, of a smooth response.
        low_pass: band above which the sound is cut, as by a codec or a telephone.
        low_passed: share of clips so cut.
        time_mask, band_mask: widest mask in frames and bands, two of each a clip.
        mix: of the Beta distribution from which the share of a second clip is drawn; 0 = none.
        mixed: share of batches that are mixed.
    """

    seconds: tuple[Above0, Above0] = (1.5, 3.0)
    speed: tuple[Above0, Above0] = (0.9, 1.12)
    pitch: tuple[Above0, Above0] = (0.94, 1.06)
    level: From0 = 5.0
    noise: tuple[float, float] = (5.0, 40.0)
    noisy: Share = 0.3
    voice: tuple[float, float] = (10.0, 25.0)
    voices: Share = 0.1
    equaliser: From0 = 4.0
    low_pass: tuple[float, float] = (50.0, 80.0)
    low_passed: Share = 0.1
    time_mask: CountOrNone = 16
    band_mask: CountOrNone = 8
    mix: From0 = 0.3
    mixed: Share = 0.2


def speech_of(mel: Tensor) -> tuple[int, int]:
    """First frame of a clip (t, 80) that is within 30 dB of its loudest, and the frame behind the last."""
    loud = torch.nonzero(mel.float().amax(1) > mel.float().max() - QUIET)[:, 0]
    return int(loud[0]), int(loud[-1]) + 1


def padded(clips: Sequence[Tensor]) -> Tensor:
    """Clips (t, 80) in one batch (n, longest, 81); the last column is 1 where there is sound."""
    batch = torch.zeros(len(clips), max(len(clip) for clip in clips), BANDS + 1)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip), :BANDS], row[: len(clip), BANDS] = clip, 1.0
    return batch


def augment(
    clips: Sequence[Tensor], speech: Tensor, targets: Tensor, how: MelAugmentation, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Vary a batch.

    Args:
        clips: n log-mels (t, 80), any float type.
        speech: (n, 2) int64 frames between which there is voice, so that no stretch is cut out of silence alone.
        targets: (n, k).
        how: what is done.
        generator: of all chance.

    Returns:
        (n, t, 81) log-mel and mask, targets (n, k); both mixed between clips in a share of batches.
    """
    steps = int(_between(how.seconds, 1, generator).item() * STEPS)
    frames = steps * FRAMES_PER_SECOND // STEPS
    mel, heard = _stretches(clips, speech, frames, how, generator)
    mel = _colours(mel, how, generator)
    mel = _background(mel, how, generator)
    mel = mel + how.level * PER_DECIBEL * _signed((len(mel), 1, 1), generator)
    mel = mel.maximum(mel.amax((1, 2), keepdim=True) - DEEPEST)
    mel = _masked(mel, how, generator)
    if how.mix and torch.rand((), generator=generator) < how.mixed:
        other = torch.randperm(len(mel), generator=generator)
        share = _beta(how.mix, len(mel), generator)
        mel = share[:, None, None] * mel + (1 - share[:, None, None]) * mel[other]
        heard = heard.maximum(heard[other])
        targets = share[:, None] * targets + (1 - share[:, None]) * targets[other]
    return torch.cat([mel * heard[..., None], heard[..., None]], 2), targets


def _stretches(
    clips: Sequence[Tensor], speech: Tensor, frames: int, how: MelAugmentation, generator: Generator
) -> tuple[Tensor, Tensor]:
    """A stretch of each clip at another tempo and pitch: (n, frames, 80), and (n, frames) 1 where there is sound."""
    n = len(clips)
    speed, pitch = _between(how.speed, n, generator), _between(how.pitch, n, generator)
    wanted = (frames * speed).long()
    length = torch.tensor([len(clip) for clip in clips])
    first, last = speech.T
    ends = torch.stack([first, last - wanted])                       # the stretch holds all of the voice, or nothing else
    low, high = ends.amin(0), ends.amax(0)
    start = low + (torch.rand(n, generator=generator) * (high - low + 1)).long()
    start = start.minimum(length - wanted).clamp(min=0)
    taken = wanted.minimum(length - start)
    cut = torch.zeros(n, 1, int(wanted.max()), BANDS)
    for row, clip, begin, count in zip(cut, clips, start.tolist(), taken.tolist(), strict=True):
        row[0, :count] = clip[begin : begin + count]
        row[0, count:] = clip[begin + count - 1]                     # so that nothing bleeds in from behind the end
    steps = (torch.arange(frames) + 0.5)[None] * speed[:, None]      # (n, frames) in frames of the clip
    bands = (torch.arange(BANDS) + 0.5)[None] / pitch[:, None]       # (n, 80)
    where = torch.stack(
        [
            (2 * bands / BANDS - 1)[:, None].expand(n, frames, BANDS),
            (2 * steps / cut.shape[2] - 1)[..., None].expand(n, frames, BANDS),
        ],
        3,
    )
    mel = grid_sample(cut, where, mode="bilinear", padding_mode="border", align_corners=False)[:, 0]
    return mel, (steps < taken[:, None]).float()


def _colours(mel: Tensor, how: MelAugmentation, generator: Generator) -> Tensor:
    """Another microphone: a smooth response, and a cut of the highest bands."""
    n = len(mel)
    knots = how.equaliser * PER_DECIBEL * _signed((n, 1, 6), generator)
    mel = mel + interpolate(knots, BANDS, mode="linear", align_corners=True)
    cut = _between(how.low_pass, n, generator)[:, None, None]
    over = (torch.arange(BANDS) - cut).clamp(min=0) * 0.15           # 6 dB a band
    return mel - over * _some(how.low_passed, n, generator)


def _background(mel: Tensor, how: MelAugmentation, generator: Generator) -> Tensor:
    """Noise of a random slope, and another voice of the batch, added as powers."""
    n, frames, _ = mel.shape
    power = torch.pow(10.0, 4 * mel)
    mean = power.mean((1, 2), keepdim=True)
    slope = torch.pow(10.0, _signed((n, 1, 1), generator) * torch.linspace(-1, 1, BANDS))
    grain = torch.rand(n, frames, BANDS, generator=generator).clamp(min=1e-6).log().neg()
    grain = avg_pool1d(grain, 3, 1, 1)                               # a band holds a few bins of noise
    noise = grain * slope / slope.mean(2, keepdim=True)
    below = torch.pow(10.0, -_between(how.noise, n, generator)[:, None, None] / 10) * _some(how.noisy, n, generator)
    other = torch.randperm(n, generator=generator)
    behind = torch.pow(10.0, -_between(how.voice, n, generator)[:, None, None] / 10) * _some(how.voices, n, generator)
    summed = power + mean * (below * noise + behind * power[other] / mean[other])
    return summed.clamp(min=1e-12).log10() / 4


def _masked(mel: Tensor, how: MelAugmentation, generator: Generator) -> Tensor:
    """Stretches of time and of bands replaced by the clip's mean.

    Source: Park et al. 2019, SpecAugment, section 2.
    """
    n, frames, _ = mel.shape
    hidden = torch.zeros(n, frames, BANDS, dtype=torch.bool)
    for size, widest, shape in ((frames, how.time_mask, (n, frames, 1)), (BANDS, how.band_mask, (n, 1, BANDS))) * 2:
        width = torch.rand(n, 1, generator=generator) * widest
        start = torch.rand(n, 1, generator=generator) * (size - width)
        place = torch.arange(size)[None]
        hidden |= ((place >= start) & (place < start + width)).view(shape)
    return torch.where(hidden, mel.mean((1, 2), keepdim=True), mel)


def _between(ends: tuple[float, float], n: int, generator: Generator) -> Tensor:
    return ends[0] + (ends[1] - ends[0]) * torch.rand(n, generator=generator)


def _signed(shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Evenly from -1 to 1."""
    return 2 * torch.rand(shape, generator=generator) - 1


def _some(share: float, n: int, generator: Generator) -> Tensor:
    """(n, 1, 1), 1 for a share of the clips and 0 for the rest."""
    return (torch.rand(n, 1, 1, generator=generator) < share).float()


def _beta(a: float, n: int, generator: Generator) -> Tensor:
    """Shares of at least a half, Beta(a, a): of two even draws to the power 1/a, where they sum to at most 1 (Jöhnk 1964)."""
    first, second = (torch.rand(n, 64, generator=generator) ** (1 / a) for _ in range(2))
    total = first + second
    taken = (total <= 1).int().argmax(1, keepdim=True)               # 64 draws fail together less than once in 1e6
    share = (first / total.clamp(min=1e-30)).gather(1, taken)[:, 0]
    return share.maximum(1 - share)
