"""How the constants of `analyze`'s fusion were chosen: python bench/fusion_constants.py CORPUS FOLDER

CORPUS is the constructed one, FOLDER that of a run of `emotrace.recipes.paired_fusion`. For the face with a strong voice model
(frozen Whisper) and with a weak one (68 features), both calibrated, on Val: calibration error, surprise in nat a clip, and the
confidence from which on answers are right more often than wrong, for every evidence; and the surprise of their plain mean.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora import paired
from emotrace.fuse import FACE_AND_VOICE, log_pool, mean_pool, temper
from emotrace.learn.clip_measures import measure_clips, measure_whisper
from emotrace.learn.fusion import EVIDENCE, answered_error, temperatures
from emotrace.recipes.paired_fusion import Config, answers_of, face_and_voice, floor

EQUAL = np.ones(2, np.float32)


def surprise(posteriors: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Mean of -log of what was said of the truth, nat; rows without an answer left out."""
    known = ~np.isnan(posteriors).any(axis=1)
    said = posteriors[known, truth[known]]
    return float(-np.log(np.maximum(said, 1e-9)).mean())


def main() -> None:
    """Print a table for each voice model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    config, clips = Config(), paired.read(given.corpus)
    measures = measure_clips(clips, given.folder, config.rate) | measure_whisper(clips, given.folder)
    answers = answers_of(clips, measures, given.folder, config)
    val = answers[clips.split == "Val"]
    for voice in range(2):
        two = face_and_voice(val, voice)
        heat = temperatures(two)
        said = temper(two.posteriors, heat)
        print(f"\n## {answers.models[int(answers.of_modality('voice')[voice])]}\n")
        mean = surprise(mean_pool(said, EQUAL), two.truth)
        alone = floor(said[0], two.truth)
        print(f"temperatures: {heat[0]:.2f}, {heat[1]:.2f}; mean: {mean:.2f} nat; face alone: floor {alone:.2f}\n")
        print("| evidence | calibration error | nat | floor |\n|---|---|---|---|")
        for evidence in EVIDENCE:
            pooled = log_pool(said, EQUAL, evidence)
            error = answered_error(pooled, two.truth)
            chosen = " (chosen)" if evidence == FACE_AND_VOICE.evidence else ""
            print(f"| {evidence}{chosen} | {error:.3f} | {surprise(pooled, two.truth):.2f} | {floor(pooled, two.truth):.2f} |")


if __name__ == "__main__":
    main()
