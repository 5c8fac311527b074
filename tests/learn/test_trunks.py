"""Frozen networks give the features they are known for, of faces as each wants them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from made_faces import faces_of  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from emotrace.engine import OnnxNetwork  # noqa: E402
from emotrace.errors import InputError  # noqa: E402
from emotrace.face.align import SFACE_112  # noqa: E402
from emotrace.learn import trunks  # noqa: E402
from emotrace.learn.frame_faces import FaceFinder, FaceFinding  # noqa: E402
from emotrace.learn.networks.vgg16 import Vgg16  # noqa: E402
from emotrace.learn.views import seen  # noqa: E402


def test_five_points_come_to_lie_on_the_template() -> None:
    where = np.asarray(SFACE_112.points) * 0.9 + 8
    picture = np.zeros((1, 128, 128, 3), np.uint8)
    for x, y in np.round(where).astype(int):
        picture[0, y - 1 : y + 2, x - 1 : x + 2] = 255
    trunk = trunks.Trunk("any", 112, 1, SFACE_112, lambda given: given)
    (found,) = seen(faces_of(picture, where[None]), trunk)
    for x, y in np.round(SFACE_112.points).astype(int):
        assert found[y, x].min() > 100
    assert (found.max(axis=2) > 100).mean() < 0.02


def test_a_face_without_points_is_taken_as_it_was_cropped() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (2, 8, 8, 3)).repeat(16, axis=1).repeat(16, axis=2).astype(np.uint8)
    points = np.full((2, 5, 2), np.nan)
    trunk = trunks.Trunk("any", 64, 1, SFACE_112, lambda given: given)
    found = seen(faces_of(pictures, points), trunk)
    assert np.array_equal(found, pictures[:, ::2, ::2])
    assert seen(faces_of(pictures[:0], points[:0]), trunk).shape == (0, 64, 64, 3)


@pytest.mark.parametrize(("name", "width"), [("expression", 1024), ("compact", 192)])
def test_a_trunk_of_our_own_gives_what_the_network_decides_by(name: str, width: int) -> None:
    trunk = getattr(trunks, name)()
    weights = {"compact": "expression_compact"}.get(name, name)
    pictures = np.random.default_rng(1).integers(0, 255, (5, 48, 48, 3)).astype(np.uint8)
    features = trunk.run(pictures)
    assert features.shape == (5, width)
    assert trunk.run(pictures[:0]).shape == (0, width)
    said = OnnxNetwork(weights).run(pictures)  # a linear layer on these features, a temperature, a softmax
    logits = np.log(said) - np.log(said).mean(axis=1, keepdims=True)
    more = np.random.default_rng(2).integers(0, 255, (2 * width, 48, 48, 3)).astype(np.uint8)
    known = np.log(OnnxNetwork(weights).run(more))
    known -= known.mean(axis=1, keepdims=True)
    design = np.hstack([trunk.run(more), np.ones((2 * width, 1), np.float32)])
    line = np.linalg.lstsq(design.astype(np.float64), known, rcond=None)[0]
    assert np.hstack([features, np.ones((5, 1))]) @ line == pytest.approx(logits, abs=0.02)


def test_one_person_s_faces_are_alike_to_sface_and_two_people_s_are_not(single_face: Path, woman: Path) -> None:
    trunk, finder = trunks.sface(), FaceFinder(FaceFinding(rate=1.0))
    first, second = (trunk.run(seen(faces, trunk)) for faces in (finder.of(single_face), finder.of(woman)[:3]))
    first, second = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (first, second))
    assert (first @ first.T).min() > 0.5
    assert (first @ second.T).max() < 0.363


def test_vgg_face_from_a_user_s_weights_is_fed_as_it_was_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Vgg16().eval()
    state = {name.removeprefix("layers."): value for name, value in network.state_dict().items()}
    save_file(state, tmp_path / "vgg.safetensors")
    trunk = trunks.vgg_face(tmp_path / "vgg.safetensors")
    assert (trunk.size, trunk.width, trunk.template) == (224, 25_088, None)
    picture = np.random.default_rng(0).integers(0, 255, (1, 224, 224, 3)).astype(np.uint8)
    mean = np.array([129.1863, 104.7624, 93.5940], np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy((picture - mean).transpose(0, 3, 1, 2).astype(np.float32))).numpy()
    assert trunk.run(picture) == pytest.approx(expected, abs=1e-4)
    del state["conv3_2.weight"]
    save_file(state, tmp_path / "part.safetensors")
    with pytest.raises(InputError, match=r"lacks layers\.conv3_2\.weight"):
        trunks.vgg_face(tmp_path / "part.safetensors")


@pytest.mark.parametrize("suffix", [".mat", ".safetensors"])
def test_the_first_layer_of_vgg_face_reads_a_flat_map_as_it_read_the_map_there(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(3, 3, 4, 5)).astype(np.float32), np.arange(5, dtype=np.float32)  # h, w, channels, units
    path = tmp_path / f"vgg{suffix}"
    if suffix == ".mat":
        layer = {"name": "fc6", "type": "conv", "weights": np.array([kernel, bias], dtype=object)}
        scipy.io.savemat(path, {"net": {"layers": np.array([layer, {"name": "relu6", "type": "relu"}], dtype=object)}})
    else:
        flat = kernel.transpose(3, 2, 0, 1).reshape(5, -1)
        save_file({"fc6.weight": torch.from_numpy(flat.copy()), "fc6.bias": torch.from_numpy(bias)}, path)
    weight, offset = trunks.vgg_face_first_layer(path, channels=4, side=3, units=5)
    last = rng.normal(size=(4, 3, 3)).astype(np.float32)  # channels, h, w
    expected = np.einsum("chw,hwcu->u", last, kernel) + bias
    assert weight @ last.ravel() + offset == pytest.approx(expected, abs=1e-4)
