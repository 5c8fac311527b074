"""Any torch network is fine-tuned on pictures of faces: its last layer is new, all of it learns."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

from emotrace.corpora.table import Faces, table  # noqa: E402
from emotrace.errors import InputError  # noqa: E402
from emotrace.learn.fine_tuning import Fed, FineTuning, fine_tune, fine_tuned, lessons_of, replace_last  # noqa: E402
from emotrace.learn.frame_features import of_network  # noqa: E402
from emotrace.learn.networks.published import load  # noqa: E402
from emotrace.learn.networks.vgg_face import VggFace  # noqa: E402
from emotrace.learn.plan import rate_at  # noqa: E402


def stills(n: int, split: str, seed: int) -> Faces:
    """Pictures whose brightness goes up with the label, with noise."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 7
    pictures = [np.clip(20 + 32 * word + rng.normal(0, 8, (48, 48)), 0, 255).astype(np.uint8) for word in label]
    return table("made", pictures, label.tolist(), [f"{seed}:{i}" for i in range(n)], split=[split] * n)


def tiny() -> Fed:
    """A network of "face recognition" that names ten people."""
    torch.manual_seed(3)
    network = nn.Sequential(nn.Conv2d(3, 8, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
    return Fed(network, 24, (128.0, 128.0, 128.0), 1 / 64)


def test_constants_are_the_papers_and_the_rate_falls_to_nothing() -> None:
    plan = FineTuning().plan(28_709)
    assert (plan.method, plan.batch, plan.momentum, plan.weight_decay) == ("nesterov", 32, 0.9, 5e-4)
    assert plan.epochs * 28_709 / 32 == pytest.approx(30_000, rel=0.02)
    assert [rate_at(plan, share * plan.epochs) for share in (0, 0.5, 1)] == pytest.approx([5e-4, 2.5e-4, 0])


def test_a_network_learns_what_it_is_shown_and_every_layer_moves(tmp_path: Path) -> None:
    how = FineTuning(iterations=700, rate=0.05, batch=14)
    network = tiny()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    learnt = fine_tune(network, "4", [stills(140, "Training", 0), stills(35, "PublicTest", 1)], how, tmp_path, lambda _: None)
    moved = learnt.state_dict()
    assert moved["network.4.weight"].shape == (7, 8)
    assert not torch.equal(moved["network.0.weight"], before["network.0.weight"])
    images = np.stack([stills(35, "", 2).images(48)]).reshape(35, 1, 48, 48)
    with torch.no_grad():
        named = learnt(torch.from_numpy(images).float()).argmax(1).numpy()
    assert (named == np.arange(35) % 7).mean() > 0.7


def test_a_run_is_taken_up_where_it_lies_and_its_features_are_the_same(tmp_path: Path) -> None:
    how = FineTuning(iterations=5, batch=14)
    tables = [stills(28, "Training", 0), stills(14, "PublicTest", 1)]
    first = fine_tune(tiny(), "4", tables, how, tmp_path, lambda _: None)
    said: list[dict[str, float]] = []
    second = fine_tune(tiny(), "4", tables, how, tmp_path, said.append)
    third = fine_tuned(tiny(), tmp_path, "4")
    assert not said
    pictures = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 3)).astype(np.uint8)
    features = [of_network("tiny", network, "network.4", 24, None).run(pictures) for network in (first, second, third)]
    assert features[0].shape == (3, 8)
    assert features[0].tobytes() == features[1].tobytes() == features[2].tobytes()


def test_grey_and_coloured_pictures_are_fed_alike() -> None:
    grey = torch.rand(2, 1, 48, 48) * 255
    coloured, mean = tiny(), Fed(nn.AdaptiveAvgPool2d(1), 24, (100.0,))
    with torch.no_grad():
        assert torch.allclose(coloured(grey), coloured(grey.expand(-1, 3, -1, -1)))
        assert torch.allclose(mean(grey), mean(grey.expand(-1, 3, -1, -1)), atol=1e-3)
        assert mean(torch.full((1, 1, 48, 48), 130.0)).item() == pytest.approx(30)


def test_a_last_layer_may_be_a_convolution_of_one_pixel() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 9, 1))
    replace_last(network, "1", 7)
    assert network(torch.zeros(1, 1, 3, 3)).shape == (1, 7, 1, 1)
    with pytest.raises(InputError, match="'0' is no fully connected layer of Sequential"):
        replace_last(network, "0", 7)


def test_where_nothing_is_held_out_a_tenth_of_the_pictures_chooses() -> None:
    lessons = lessons_of([stills(70, "Training", 0)])
    assert (len(lessons.label), len(lessons.held_out_label)) == (63, 7)
    both = lessons_of([stills(70, "train", 0), stills(14, "PublicTest", 1)])
    assert (len(both.label), len(both.held_out_label)) == (70, 14)


@pytest.mark.parametrize("split", ["train_set", "training", "Train_Aligned_Faces", "090", "mine/train", ""])
def test_parts_of_every_corpus_that_are_not_held_out_are_learnt_from(split: str) -> None:
    lessons = lessons_of([stills(70, "Training", 0), stills(14, split, 1), stills(7, "PrivateTest", 2)])
    assert (len(lessons.label), len(lessons.held_out_label)) == (84, 7)


@pytest.mark.parametrize("split", ["val_set", "validation", "Val_Aligned_Faces", "val", "mine/Test", "PublicTest"])
def test_parts_that_corpora_hold_out_choose(split: str) -> None:
    lessons = lessons_of([stills(70, "Training", 0), stills(14, split, 1)])
    assert (len(lessons.label), len(lessons.held_out_label)) == (70, 14)


def test_contempt_and_what_has_no_label_is_left_out() -> None:
    faces = table("made", [np.zeros((48, 48), np.uint8)] * 3, [0, 7, -1], ["a", "b", "c"], split=["Training"] * 3)
    with pytest.raises(InputError, match="no labelled pictures"):
        lessons_of([faces[np.array([1, 2])]])
    assert lessons_of([faces, stills(14, "PublicTest", 1)]).label.tolist() == [0]


def test_vgg_face_takes_published_layers_and_its_features_lie_before_the_names(tmp_path: Path) -> None:
    torch.manual_seed(0)
    giver, taker = VggFace(32, hidden=8, outputs=5).eval(), VggFace(32, hidden=8, outputs=5).eval()
    save_file({name.removeprefix("layers."): value for name, value in giver.state_dict().items()}, tmp_path / "vgg.safetensors")
    assert load(taker, tmp_path / "vgg.safetensors") == []
    images = torch.rand(2, 3, 32, 32) * 255
    assert torch.equal(giver(images), taker(images))
    fed = Fed(taker, 32, (129.0, 105.0, 94.0))
    replace_last(fed.network, "fc8", 7)
    assert fed(images).shape == (2, 7)
    assert of_network("vgg", fed, "network.fc8", 32, None).width == 8


def test_vgg_face_has_the_parameters_of_the_paper() -> None:
    with torch.device("meta"):
        network = VggFace()
    assert sum(value.numel() for value in network.parameters()) == 145_002_878
