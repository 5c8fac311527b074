"""The networks of an ensemble that looks at faces: those taken as they are, and those fine-tuned on stills, by name.

    frozen   expression, compact, sface (learn.trunks), mini_xception, face_mobilenet      as they are
    tuned    face_mobilenet, vgg_face                                          face recognition, fine-tuned on stills
    given    expression_mobilenet                                              a run of that recipe, which fine-tunes as well

A run keeps what it fine-tuned, or was given, in FOLDER/nets/<name>/, where it is found again. Networks in torch are computed
in bf16.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotrace.api import fingerprint
from emotrace.corpora.table import Faces
from emotrace.errors import InputError, unknown
from emotrace.face.expression import FER2013_TEMPLATE
from emotrace.learn import trunks
from emotrace.learn.checkpoint import load_weights, save_weights
from emotrace.learn.fine_tuning import Fed, FineTuning, fine_tune, fine_tuned
from emotrace.learn.frame_features import mini_xception, of_network
from emotrace.learn.log import Say
from emotrace.learn.networks.face_mobilenet import FaceMobileNet, pretrained
from emotrace.learn.networks.published import load
from emotrace.learn.networks.vgg_face import SIZE as VGG_SIZE
from emotrace.learn.networks.vgg_face import VggFace
from emotrace.learn.taught import Student
from emotrace.learn.trunks import Trunk

EXPRESSION, MOBILENET_SIDE = "expression_mobilenet", 128  # px


@dataclass(frozen=True, slots=True)
class Tunable:
    """A network that can be fine-tuned.

    Args:
        last: name of its last layer.
        make: the network without weights, ready to be fed.
        start: puts the weights of face recognition in, given the file that the user has of them.
    """

    last: str
    make: Callable[[], Fed]
    start: Callable[[Fed, Path], None]


def _start_mobilenet(fed: Fed, file: Path) -> None:
    assert isinstance(fed.network, FaceMobileNet)
    pretrained(fed.network)


def _start_vgg_face(fed: Fed, file: Path) -> None:
    if missing := load(fed.network, file):
        raise InputError(f"{file}: lacks {missing[0]}; expected all layers of VGG-Face")


TUNABLE: Mapping[str, Tunable] = {
    "face_mobilenet": Tunable("heads", lambda: Fed(FaceMobileNet(-1), MOBILENET_SIDE, (0.0,)), _start_mobilenet),
    "vgg_face": Tunable("fc8", lambda: Fed(VggFace(), VGG_SIZE, trunks.VGG_FACE_INPUT.mean), _start_vgg_face),
}


def face_mobilenet() -> Trunk:
    """The face recognition MobileNet as it is, in bf16."""
    fed = TUNABLE["face_mobilenet"].make()
    _start_mobilenet(fed, Path())
    return _trunk("face_mobilenet-bf16", fed, "heads")


FROZEN: Mapping[str, Callable[[], Trunk]] = {
    "expression": trunks.expression, "compact": trunks.compact, "sface": trunks.sface, "mini_xception": mini_xception,
    "face_mobilenet": face_mobilenet,
}  # fmt: skip


def frozen(names: Sequence[str]) -> dict[str, Trunk]:
    """Networks as they are.

    Raises:
        UnknownNameError: one is not known.
        WeightsError: the weights of one cannot be had.
    """
    if strangers := [name for name in names if name not in FROZEN]:
        raise unknown("frozen network", strangers[0], list(FROZEN))
    return {name: FROZEN[name]() for name in names}


def tuned(
    names: Sequence[str], folder: Path, stills: Sequence[Faces], how: FineTuning, files: Mapping[str, Path], report: Say
) -> dict[str, Trunk]:
    """Networks fine-tuned on stills, one after the other; those that lie finished in `folder` are taken from there.

    Args:
        names: of TUNABLE.
        folder: of the run.
        stills: see `fine_tuning.fine_tune`.
        how: constants of the fine-tuning.
        files: weights that the user has, by the name of the network that starts from them.
        report: told each epoch's numbers.

    Raises:
        UnknownNameError: one is not known.
        InputError: there are no stills, or weights are missing or of another network.
    """
    for name in names:
        kind = _kind(name)
        file = files.get(name, Path())
        if name in files and not file.is_file():
            raise InputError(f"{file}: no such file; expected the weights of {name} as .mat, .pth or .safetensors")
        network = kind.make()
        kind.start(network, file)

        def say(numbers: dict[str, float], name: str = name) -> None:
            report(f"{name}: " + "  ".join(f"{key} {value:.4g}" for key, value in numbers.items()))

        fine_tune(network, kind.last, stills, how, folder / "nets" / name, say)
    return of_run(names, folder)


def of_run(names: Sequence[str], folder: Path) -> dict[str, Trunk]:
    """Networks that a run has fine-tuned, by the same names.

    Raises:
        UnknownNameError: one is not known.
        InputError: one does not lie in the run's folder.
    """
    found = {}
    for name in names:
        kind, own = _kind(name), folder / "nets" / name
        network = fine_tuned(kind.make(), own, kind.last)
        found[name] = _trunk(_key(name, own), network, kind.last)
    return found


def given(run: Path | None, folder: Path) -> Trunk:
    """The network of a run of the recipe expression_mobilenet: a MobileNet of face recognition, fine-tuned on FER2013.

    Args:
        run: folder with `best/`; None: what an earlier call has put into `folder`.
        folder: of this run, which gets a copy of the weights.

    Raises:
        InputError: no weights of such a network lie there.
    """
    own, mobile = folder / "nets" / EXPRESSION, FaceMobileNet()
    load_weights((run or own) / "best", mobile, Student.PART)
    if run is not None:
        save_weights(own / "best", mobile, {})
    return _trunk(_key(EXPRESSION, own), Fed(mobile, MOBILENET_SIDE, (0.0,)), "heads")


def _key(name: str, own: Path) -> str:
    return f"{name}-bf16-{fingerprint(own / 'best' / 'network.safetensors')[:12]}"


def _trunk(key: str, network: Fed, last: str) -> Trunk:
    """Faces lie in its pictures as FER2013 frames them."""
    template = FER2013_TEMPLATE.resized(network.size)
    return of_network(key, network, f"network.{last}", network.size, template, short=True)


def _kind(name: str) -> Tunable:
    if name not in TUNABLE:
        raise unknown("network that can be fine-tuned", name, list(TUNABLE))
    return TUNABLE[name]
