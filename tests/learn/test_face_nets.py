"""Networks of an ensemble by name: as they are, fine-tuned, or given as a run of another recipe."""

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.errors import InputError, UnknownNameError  # noqa: E402
from emotrace.learn import face_nets  # noqa: E402
from emotrace.learn.checkpoint import save_weights  # noqa: E402
from emotrace.learn.fine_tuning import FineTuning  # noqa: E402
from emotrace.learn.networks.face_mobilenet import FaceMobileNet  # noqa: E402


def test_a_run_of_the_other_recipe_is_taken_over_with_its_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FaceMobileNet().eval()
    save_weights(tmp_path / "other" / "best", network, {"accuracy": 0.6})
    first = face_nets.given(tmp_path / "other", tmp_path / "run")
    again = face_nets.given(None, tmp_path / "run")
    pictures = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3)).astype(np.uint8)
    features = first.run(pictures)
    assert (first.name, first.width, first.size) == (again.name, 1024, 128)
    assert features.tobytes() == again.run(pictures).tobytes()
    with torch.no_grad():
        grey = torch.from_numpy(pictures).float() @ torch.tensor([0.299, 0.587, 0.114])
        exact = network.features(grey[:, None]).numpy()
    assert np.corrcoef(features.ravel(), exact.ravel())[0, 1] > 0.99  # bf16
    with pytest.raises(InputError, match="no such file"):
        face_nets.given(None, tmp_path / "empty")


def test_the_mobilenet_sees_grey_faces_of_its_side() -> None:
    trunk = face_nets.frozen(["face_mobilenet"])["face_mobilenet"]
    pictures = np.random.default_rng(3).integers(0, 255, (2, 128, 128, 3)).astype(np.uint8)
    grey = np.repeat(cv2.cvtColor(pictures[0], cv2.COLOR_RGB2GRAY)[None, :, :, None], 3, axis=3)
    features = trunk.run(pictures)
    assert features.shape == (2, 1024)
    alike = np.corrcoef([*trunk.run(grey), *features])[0, 1:]
    assert alike[0] > 0.999
    assert alike[1] < 0.99


def test_names_that_are_not_known_and_files_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'nothing'; there are: expression, compact, sface, mini"):
        face_nets.frozen(["nothing"])
    with pytest.raises(UnknownNameError, match="'nothing'; there are: face_mobilenet, vgg_face"):
        face_nets.tuned(["nothing"], tmp_path, [], FineTuning(), {}, print)
    with pytest.raises(InputError, match=r"vgg\.mat: no such file; expected the weights of vgg_face"):
        face_nets.tuned(["vgg_face"], tmp_path, [], FineTuning(), {"vgg_face": tmp_path / "vgg.mat"}, print)
