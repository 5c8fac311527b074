"""Engine: pixels reach a network as weights.toml says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from emotrace import engine, weights
from emotrace.engine import FaceDetectorNetwork, OnnxNetwork, prepare, quiet
from emotrace.errors import InputError
from emotrace.video import Video
from emotrace.weights import NetworkInput

PIXEL = np.full((1, 2, 2, 3), (255, 128, 0), np.uint8)


def test_colour_mean_scale_and_layout_are_applied() -> None:
    feed = NetworkInput(size=2, colour="bgr", mean=(0, 28, 55), scale=(1, 2, 0.5), layout="nchw")
    batch = prepare(PIXEL, feed)
    assert batch.shape == (1, 3, 2, 2)
    assert batch[0, :, 0, 0].tolist() == [0, 200, 100]


def test_grey_is_bt601_luma() -> None:
    batch = prepare(PIXEL, NetworkInput(colour="grey", mean=(0,), scale=(1,), layout="nhwc"))
    assert batch.shape == (1, 2, 2, 1)
    assert batch[0, 0, 0, 0] == round(0.299 * 255 + 0.587 * 128)


def test_images_of_another_size_or_type_are_refused() -> None:
    with pytest.raises(InputError, match="must be 64 x 64, got 2 x 2"):
        prepare(PIXEL, NetworkInput(size=64))
    with pytest.raises(InputError, match="uint8, got"):
        prepare(PIXEL.astype(np.float32), NetworkInput())


def test_a_network_without_a_free_batch_gives_the_same_rows_for_many() -> None:
    network = OnnxNetwork("sface", "cpu")
    images = np.random.default_rng(0).integers(0, 255, (3, 112, 112, 3), np.uint8)
    assert network.session.get_inputs()[0].shape[0] == 1
    np.testing.assert_array_equal(network.run(images), np.concatenate([network.run(images[i : i + 1]) for i in range(3)]))
    assert network.run(images[:0]).shape == (0, 128)


@pytest.mark.parametrize("name", ["кэш".encode(), b"cache\xff"])   # beyond Windows' code page; not valid UTF-8
def test_faces_are_found_wherever_the_cache_lies(
    name: bytes, five_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / os.fsdecode(name)
    try:
        cache.mkdir()
    except OSError:
        pytest.skip("this file system has no such names")
    shutil.copy(weights.path("yunet"), cache)
    image = next(Video.open(five_people).chunks()).images[0]
    monkeypatch.setenv("EMOTRACE_CACHE", str(cache))
    assert len(FaceDetectorNetwork(0.6).run(image)) == 5


def test_cuda_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(InputError, match="--device cpu"):
        engine.providers("cuda")
    assert engine.providers("auto") == ["CPUExecutionProvider"]


@pytest.mark.parametrize("device", ["CUDA", "gpu", "tpu", ""])
def test_a_device_that_does_not_exist_is_refused(device: str) -> None:
    with pytest.raises(InputError, match="must be auto, cpu, cuda, got"):
        engine.providers(device)  # type: ignore[arg-type]


def test_native_noise_is_silenced_and_the_error_stream_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"native noise")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
