"""openSMILE's sets behind the optional extra, and what happens without it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from vowels import vowel

from emotrace.errors import MissingExtraError
from emotrace.scheme import EGEMAPS_V02
from emotrace.views import VoiceSamples
from emotrace.voice import opensmile as ours
from emotrace.voice.opensmile import Compare2016, EgemapsV02, Interspeech2010, OpenSmile

SETS = ((EgemapsV02, 88), (Compare2016, 6373), (Interspeech2010, 1582))


@pytest.mark.parametrize(("kind", "count"), SETS)
def test_a_set_has_its_published_number_of_functionals(kind: type[OpenSmile], count: int) -> None:
    pytest.importorskip("opensmile")
    extractor = kind()
    samples = VoiceSamples(vowel(2.0, 150.0, noise_db=20.0), 16000, np.array([0, 8000]), 16000)
    batch = extractor.extract(samples)
    assert batch.shape == (2, count)
    assert batch.dtype == np.float32
    assert np.isfinite(batch).all()
    np.testing.assert_array_equal(batch[1:], extractor.extract(samples[1:]))
    assert extractor.extract(samples[:0]).shape == (0, count)


def test_the_egemaps_scheme_names_the_columns_as_the_library_does() -> None:
    pytest.importorskip("opensmile")
    assert tuple(ours._smile("eGeMAPSv02").feature_names) == EGEMAPS_V02.labels


def test_egemaps_hears_the_planted_pitch() -> None:
    pytest.importorskip("opensmile")
    values = EgemapsV02().extract(VoiceSamples.whole(vowel(2.0, 220.0), 16000))[0]
    semitones = values[EGEMAPS_V02.labels.index("F0semitoneFrom27.5Hz_sma3nz_percentile50.0")]
    assert semitones == pytest.approx(36.0, abs=0.2)   # three octaves above 27.5 Hz


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("samples", [0, 1, 400, 959])
def test_sound_shorter_than_a_frame_is_unknown(samples: int) -> None:
    pytest.importorskip("opensmile")
    assert np.isnan(EgemapsV02().extract(VoiceSamples.whole(np.ones(samples, np.float32), 16000))).all()


@pytest.mark.filterwarnings("error")
def test_silence_and_clipped_sound_give_numbers() -> None:
    pytest.importorskip("opensmile")
    for sound in (np.zeros(16000), np.full(16000, 0.4), np.clip(9 * vowel(1.0, 150.0), -1, 1), np.zeros(960)):
        values = EgemapsV02().extract(VoiceSamples.whole(sound.astype(np.float32), 16000))
        assert np.isfinite(values).all()


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    ours._smile.cache_clear()
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emotrace\[opensmile\]' \(its licence is for research only\)"):
        EgemapsV02()
