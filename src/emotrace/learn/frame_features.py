"""Features of the faces of a clip's frames, by any frozen or fine-tuned network, averaged over views of each face.

    FrameFaces ─points on the network's template, then 18 views (mirrored, turned, scaled)─▶ network ─mean of views─▶ (n, width)

A network is a `Trunk`, one line each: those of `learn.trunks`, and here
    mini_xception     128   mean of the last maps of `face.expression_mini_xception` (trained on FER2013's Training part)
    of_network          d   what any torch network reads with its last layer

Source: Knyazev et al. 2017, who average the features of views (learn/views.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotrace.corpora.clips import Clips
from emotrace.engine import LiteRtNetwork, prepare
from emotrace.face.align import Template
from emotrace.face.expression import MINI_XCEPTION_TEMPLATE
from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.face_source import face_source
from emotrace.learn.frame_faces import FaceFinder, FrameFaces, faces_of_clip
from emotrace.learn.log import Say, say
from emotrace.learn.precision import computed_in
from emotrace.learn.trunks import Trunk
from emotrace.learn.views import PLAIN, View, seen
from emotrace.weights import entry, read

EVERY = 50  # clips between two lines of progress
BATCH = 64

# The tip of the nose lies between eyes and mouth corners as in FER2013_TEMPLATE, which was measured on the same pictures.
EYES, MOUTH, NOSE = MINI_XCEPTION_TEMPLATE.points[:2], MINI_XCEPTION_TEMPLATE.points[2:], (32.0, 35.94)
MINI_XCEPTION = Template(MINI_XCEPTION_TEMPLATE.size, (*EYES, NOSE, *MOUTH), ())


def features_of_faces(faces: FrameFaces, trunk: Trunk, views: Sequence[View] = PLAIN) -> NDArray[np.float32]:
    """The mean over views of what a network says of each face, (n, width)."""
    total = np.zeros((len(faces), trunk.width), np.float64)
    for view in views:
        total += trunk.run(seen(faces, trunk, view))
    return np.asarray(total / len(views), np.float32)


def features_of_clips(
    clips: Clips,
    trunk: Trunk,
    finder: FaceFinder,
    store: ClipStore,
    views: Sequence[View] = PLAIN,
    report: Say = say,
) -> list[NDArray[np.float32]]:
    """Features of every clip's frames, (n_i, width) each; n_i is 0 for a clip that cannot be read.

    Args:
        clips: n clips; where the corpus has cropped faces, these are taken.
        trunk: network.
        finder: finds faces.
        store: where faces and features are kept, by the content of the clips.
        views: that are averaged.
        report: told how far it is, in a line.
    """
    what = f"features-{trunk.name}-{len(views)}_views-{finder.how.name}"
    found = []
    for row in range(len(clips)):
        path = face_source(clips, row)
        kept = store.of(path, what, partial(_computed, path, trunk, finder, store, views))
        found.append(np.asarray(kept["features"], np.float32))
        if (row + 1) % EVERY == 0:
            report(f"{trunk.name}, {len(views)} views: {row + 1} of {len(clips)} clips")
    return found


def _computed(path: Path, trunk: Trunk, finder: FaceFinder, store: ClipStore, views: Sequence[View]) -> Arrays:
    return {"features": features_of_faces(faces_of_clip(path, store, finder), trunk, views)}


def mini_xception() -> Trunk:
    """Mean over the last maps (128) of the network of `face.expression_mini_xception`.

    Source: Arriaga, Valdenegro & Plöger 2017.
    """
    name = "fer_mini_xception"
    network, feed = LiteRtNetwork(read(name), keep=True), entry(name).input

    def run(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.zeros((len(pictures), 128), np.float32)
        for row, sample in enumerate(prepare(pictures, feed)):
            network.run(sample[None])
            rows[row] = network.tensor("model_1_1/add_4_1/Add").mean(axis=(0, 1, 2))
        return rows

    return Trunk("mini_xception", MINI_XCEPTION.size, 128, MINI_XCEPTION, run)


def of_network(
    name: str, network: nn.Module, last: str, size: int, template: Template | None, short: bool = False
) -> Trunk:
    """What a torch network reads with its last layer.

    Args:
        name: tells it, and its weights, from others; a valid file name.
        network: (n, 3, size, size) float32 RGB 0..255 -> (n, k); see `fine_tuning.Fed`.
        last: name of the layer whose input are the features, as in `network.named_modules()`.
        size: of the crops, px.
        template: where the five points of a face are to lie, on `size` px; None: the whole crop is taken.
        short: computed in bf16 by processors that know it, which do it several times as fast; features then have three digits.

    Raises:
        AttributeError: there is no such layer.
    """
    layer = network.get_submodule(last)
    network.eval()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def run(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        caught: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _, given: caught.append(given[0].flatten(1)))
        try:
            with computed_in("bf16" if short else "fp32"):
                for start in range(0, len(pictures), BATCH):
                    network(torch.from_numpy(pictures[start : start + BATCH]).permute(0, 3, 1, 2).float())
        finally:
            hook.remove()
        return torch.cat(caught).float().numpy() if caught else np.zeros((0, width), np.float32)

    width = 0
    width = run(np.zeros((1, size, size, 3), np.uint8)).shape[1]
    return Trunk(name, size, width, template, run)
