"""The sound of clips by any set of voice features."""

from pathlib import Path

import numpy as np
import pytest

from emotrace.corpora.clips import Clips
from emotrace.errors import MissingExtraError, UnknownNameError
from emotrace.learn import voice_sets
from emotrace.learn.clip_sound import sound_of
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.voice_sets import first_installed, voice_features
from emotrace.views import VoiceExtractor, VoiceSamples
from emotrace.voice.features import MidTerm


def clips_of(*paths: Path) -> Clips:
    columns = {name: np.array([""] * len(paths), np.str_) for name in ("subject", "split", "origin")}
    return Clips("any", list(paths), np.zeros(len(paths), np.int64), **columns, faces=[None] * len(paths))


def test_a_voice_is_measured_whole_and_what_has_none_is_nan(obama: Path, tmp_path: Path) -> None:
    broken, pictures = tmp_path / "a.mp4", tmp_path / "faces"
    broken.write_bytes(b"no film")
    pictures.mkdir()
    found = voice_features(clips_of(obama, broken, pictures), "midterm", ClipStore(tmp_path / "run"))
    whole = MidTerm().extract(VoiceSamples.whole(sound_of(obama), 16_000))
    assert found.shape == (3, 68)
    assert found[0] == pytest.approx(whole[0])
    assert np.isnan(found[1:]).all()
    assert voice_features(clips_of(), "midterm", ClipStore(tmp_path / "run")).shape == (0, 68)


def test_the_first_set_that_is_installed_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> VoiceExtractor:
        raise MissingExtraError("needs openSMILE")

    monkeypatch.setitem(voice_sets.SETS, "interspeech2010", missing)
    assert first_installed(("interspeech2010", "midterm")) == "midterm"
    assert first_installed(("midterm", "interspeech2010")) == "midterm"
    with pytest.raises(MissingExtraError, match="needs openSMILE"):
        first_installed(("interspeech2010",))
    with pytest.raises(UnknownNameError, match="set of voice features 'mfcc'"):
        first_installed(("mfcc",))


def test_every_set_has_a_name_to_be_shown() -> None:
    assert voice_sets.ABOUT.keys() == voice_sets.SETS.keys()
