"""The network that teaches: its weights are read as ONNX Runtime runs them."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")
onnx = pytest.importorskip("onnx", reason="needs pip install 'emotrace[train]'")

import onnxruntime  # noqa: E402

from emotrace import weights  # noqa: E402
from emotrace.errors import WeightsError  # noqa: E402
from emotrace.face.expression_densenet import TEMPERATURE, ExpressionDenseNet  # noqa: E402
from emotrace.learn.networks import face_densenet  # noqa: E402
from emotrace.learn.networks.face_densenet import FEATURES, SIZE, WEIGHTS, FaceDenseNet  # noqa: E402

# DenseNet-121's 7,978,856 of table 1 less its 1000-way layer (1,025,000), plus seven ways (7,175); one colour for three
# (-6,272). A norm behind a convolution is folded into it (the first and 58 of 128: -64 and -58 * 128).
PARAMETERS = 7_978_856 - 1_025_000 + 7_175 - 2 * 49 * 64 - 64 - 58 * 128


def test_it_is_densenet_121():
    assert sum(parameter.numel() for parameter in FaceDenseNet().parameters()) == PARAMETERS
    assert FaceDenseNet().norm.weight.shape == (FEATURES, 1, 1)


def test_it_says_what_the_published_file_says():
    faces = np.random.default_rng(0).integers(0, 256, (2, 1, SIZE, SIZE)).astype(np.float32)
    session = onnxruntime.InferenceSession(weights.read(WEIGHTS))
    expected = [session.run(None, {"input": np.repeat(face[None], 3, 1) / 255})[0][0] for face in faces]
    with torch.no_grad():
        features, logits = face_densenet.published()(torch.from_numpy(faces))
    assert features.shape == (2, FEATURES)
    assert logits.numpy() == pytest.approx(np.stack(expected), abs=1e-4)


def test_the_component_says_the_same_less_sure():
    faces = np.random.default_rng(1).integers(0, 256, (3, 12, 12), np.uint8).repeat(4, 1).repeat(4, 2)   # 48 px, coarse
    with torch.no_grad():
        _, logits = face_densenet.published()(torch.from_numpy(faces)[:, None].float())
    expected = (logits / float(TEMPERATURE)).softmax(1).numpy()
    found = ExpressionDenseNet("cpu").of_crops(faces[..., None].repeat(3, 3))
    assert found == pytest.approx(expected, abs=0.01)
    assert found.max() - found.min() > 0.3   # so that another order of the labels would show


def test_no_faces_have_no_expression():
    assert ExpressionDenseNet("cpu").of_crops(np.zeros((0, 48, 48, 3), np.uint8)).shape == (0, 7)


def test_another_network_is_refused(monkeypatch):
    node = onnx.helper.make_node("Conv", ["input", "kernel"], ["output"])
    kernel = onnx.numpy_helper.from_array(np.zeros((1, 3, 3, 3), np.float32), "kernel")
    info = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in ("input", "output")]
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "other", info[:1], info[1:], [kernel]))
    monkeypatch.setattr(face_densenet.weights, "read", lambda name: model.SerializeToString())
    with pytest.raises(WeightsError, match="not the weights of DenseNet-121"):
        face_densenet.published()
