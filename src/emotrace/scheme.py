"""Schemes: what the columns of a timeline mean.

The scheme owns the label order. A network's own order is mapped once, inside its extractor; everything after it - tables,
exports, plots, metrics - reads the order here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Scheme:
    """The meaning of k columns.

    Args:
        name: "valence_arousal".
        labels: column labels, in column order.
        prefix: put before a label to make a column name of a table.
        unit: "deg", "px", "probability", ... as printed by `emotrace columns`.
        low: smallest possible value.
        high: largest possible value.
        exclusive: True where a row is a distribution over the labels (sums to 1).
        frame: frame of reference and sign, in words.
        about: one sentence a label, in label order, or one sentence for all of them.
        made_of: what each label is computed from, in label order, where the labels differ in that.
    """

    name: str
    labels: tuple[str, ...]
    prefix: str = ""
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    exclusive: bool = False
    frame: str = ""
    about: tuple[str, ...] = ()
    made_of: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in a table, (k,)."""
        return tuple(self.prefix + label for label in self.labels)

    def describe(self, label: str) -> str:
        """The sentence that explains one label."""
        if not self.about:
            return ""
        return self.about[self.labels.index(label)] if len(self.about) == len(self.labels) else self.about[0]

    def __len__(self) -> int:
        return len(self.labels)


EXPRESSION_7 = Scheme(
    "expression_7",
    ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
    prefix="expression_",
    unit="probability",
    exclusive=True,
    about=("probability that a viewer would name the shown expression so; the seven sum to 1",),
)
EXPRESSION_MINI_XCEPTION = replace(
    EXPRESSION_7,
    name="expression_mini_xception",
    prefix="mini_xception_",
    about=("the same by a small network of 2017, not calibrated; the seven sum to 1",),
)
EXPRESSION_DENSENET = replace(
    EXPRESSION_7,
    name="expression_densenet",
    prefix="densenet_",
    about=("the same by a large network, more accurate and slow; the seven sum to 1",),
)
EXPRESSION_8 = replace(
    EXPRESSION_7,
    name="expression_8",
    labels=(*EXPRESSION_7.labels, "contempt"),
    about=("probability that a viewer would name the shown expression so; the eight sum to 1",),
)
VALENCE_AROUSAL = Scheme(
    "valence_arousal",
    ("valence", "arousal"),
    low=-1.0,
    frame="Russell's circumplex: valence from unpleasant (-1) to pleasant (+1), arousal from calm (-1) to excited (+1)",
    about=(
        "derived: expectation of the expression's circumplex valence under its probabilities",
        "derived: expectation of the expression's circumplex arousal under its probabilities",
    ),
)
HEAD_POSE = Scheme(
    "head_pose",
    ("pitch", "yaw", "roll"),
    prefix="pose_",
    unit="deg",
    low=-180.0,
    high=180.0,
    frame="camera, 0 = facing it",
    about=(
        "head pitch; positive = looking up",
        "head yaw; positive = turned towards the right edge of the picture (the person's left)",
        "head roll; positive = clockwise in the picture",
    ),
)
HEAD_POSE_PNP = Scheme(
    "head_pose_pnp",
    HEAD_POSE.labels,
    prefix="pose_pnp_",
    unit="deg",
    low=-180.0,
    high=180.0,
    frame=HEAD_POSE.frame,
    about=tuple(f"{text}; second method, PnP on 68 landmarks" for text in HEAD_POSE.about),
)
GAZE = Scheme(
    "gaze",
    ("pitch", "yaw"),
    prefix="gaze_",
    unit="deg",
    low=-180.0,
    high=180.0,
    frame="camera, 0 = looking into it; eye rotation and head pose combined; coarse, see limits",
    about=(
        "gaze pitch, mean of both eyes; positive = looking up",
        "gaze yaw, mean of both eyes; positive = towards the right edge of the picture (the person's left)",
    ),
)
QUALITY = Scheme(
    "quality",
    ("quality", "sharpness", "interocular"),
    low=0.0,
    high=1.0,
    about=(
        "how far the face can be measured: the worst of its size, sharpness, pose and presence scores, 0..1",
        "variance of the Laplacian of the face at 64 px, grey levels squared (not bounded by 1)",
        "distance between the pupils in pixels (not bounded by 1)",
    ),
)
ACTION_UNITS = Scheme(
    "action_units",
    ("AU01", "AU02", "AU04", "AU05", "AU07", "AU10", "AU12", "AU14", "AU15", "AU16", "AU17", "AU18", "AU20", "AU22",
     "AU24", "AU25", "AU26", "AU28", "AU45"),
    unit="intensity",
    about=(
        "inner brow raiser", "outer brow raiser", "brow lowerer", "upper lid raiser", "lid tightener",
        "upper lip raiser", "lip corner puller", "dimpler", "lip corner depressor", "lower lip depressor",
        "chin raiser", "lip pucker", "lip stretcher", "lip funneler", "lip pressor", "lips part", "jaw drop",
        "lip suck", "blink",
    ),
    frame="0 = relaxed, 1 = strongest",
    made_of=(
        "blendshape browInnerUp",
        "mean of the blendshapes browOuterUpLeft and browOuterUpRight",
        "mean of the blendshapes browDownLeft and browDownRight",
        "mean of the blendshapes eyeWideLeft and eyeWideRight",
        "mean of the blendshapes eyeSquintLeft and eyeSquintRight",
        "mean of the blendshapes mouthUpperUpLeft and mouthUpperUpRight",
        "mean of the blendshapes mouthSmileLeft and mouthSmileRight",
        "mean of the blendshapes mouthDimpleLeft and mouthDimpleRight",
        "mean of the blendshapes mouthFrownLeft and mouthFrownRight",
        "mean of the blendshapes mouthLowerDownLeft and mouthLowerDownRight",
        "blendshape mouthShrugLower",
        "blendshape mouthPucker",
        "mean of the blendshapes mouthStretchLeft and mouthStretchRight",
        "blendshape mouthFunnel",
        "mean of the blendshapes mouthPressLeft and mouthPressRight",
        "largest of AU10, AU16 and the blendshape jawOpen less mouthClose",
        "blendshape jawOpen",
        "mean of the blendshapes mouthRollLower and mouthRollUpper",
        "mean of the blendshapes eyeBlinkLeft and eyeBlinkRight",
    ),
)
BLENDSHAPES = Scheme(
    "blendshapes",
    ("_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
     "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
     "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
     "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
     "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
     "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
     "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
     "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
     "noseSneerLeft", "noseSneerRight"),
    prefix="bs_",
    unit="intensity",
    about=("ARKit-style blendshape coefficient, 0 = relaxed, 1 = strongest; left and right are the person's",),
)
AGE_GENDER = Scheme(
    "age_gender",
    ("age", "female"),
    low=0.0,
    high=80.0,
    about=(
        "apparent age in years: expectation of an 81-class distribution (0-80)",
        "probability that the face would be labelled female, 0..1",
    ),
)
EMBEDDING_128 = Scheme(
    "embedding_128",
    tuple(str(i) for i in range(128)),
    prefix="e",
    low=-1.0,
    about=("identity embedding of unit length; the cosine of two tells how alike two faces are",),
)
VOICE_EXPRESSION = Scheme(
    "voice_expression",
    (*EXPRESSION_7.labels, "calm"),
    prefix="voice_",
    unit="probability",
    exclusive=True,
    about=("probability that a listener would name the expression of the voice so; the eight sum to 1",),
)
VOICE_VALENCE_AROUSAL = Scheme(
    "voice_valence_arousal",
    VALENCE_AROUSAL.labels,
    prefix="voice_",
    low=-1.0,
    frame=VALENCE_AROUSAL.frame,
    about=(
        "valence of the voice, learnt from values derived from acted labels",
        "arousal of the voice, learnt from values derived from acted labels and their intensity",
    ),
)
FUSED = Scheme(
    "fused",
    EXPRESSION_7.labels,
    prefix="emotion_",
    unit="probability",
    exclusive=True,
    about=("probability of the expression by face and voice together; the seven sum to 1, all empty where fusion abstains",),
)
SYSTEM = Scheme(
    "system",
    EXPRESSION_7.labels,
    prefix="system_",
    unit="probability",
    exclusive=True,
    about=("probability of the expression as the system names it; the seven sum to 1, all empty where it says nothing",),
)
VOICE_NETWORK = Scheme(
    "voice_network",
    (*VOICE_EXPRESSION.labels, *VALENCE_AROUSAL.labels),
    prefix="voice_",
    low=-1.0,
    about=("what the voice network says at once: eight probabilities, valence, arousal",),
)
PROSODY = Scheme(
    "prosody",
    ("pitch", "pitch_spread", "voiced", "loudness", "loudness_spread", "jitter", "shimmer", "hnr"),
    low=0.0,
    high=1.0,
    about=(
        "mean fundamental frequency of the voiced frames, Hz (not bounded by 1)",
        "standard deviation of the fundamental frequency, semitones (not bounded by 1)",
        "share of frames that are voiced",
        "mean loudness: sum of auditory spectrum bands to the power 0.33, as in eGeMAPS (not bounded by 1)",
        "standard deviation of the loudness over its mean (not bounded by 1)",
        "mean local jitter: difference of consecutive periods over the mean period (not bounded by 1)",
        "mean local shimmer: difference of consecutive peak amplitudes, dB (not bounded by 1)",
        "harmonics-to-noise ratio, dB (not bounded by 1)",
    ),
)
SHORT_TERM_FEATURES = (
    "zcr", "energy", "energy_entropy", "spectral_centroid", "spectral_spread", "spectral_entropy", "spectral_flux",
    "spectral_rolloff", *(f"mfcc_{i}" for i in range(1, 14)), *(f"chroma_{i}" for i in range(1, 13)), "chroma_std",
)  # fmt: skip
SHORT_TERM = Scheme(
    "short_term",
    (*(f"{name}_mean" for name in SHORT_TERM_FEATURES), *(f"{name}_std" for name in SHORT_TERM_FEATURES)),
    prefix="st_",
    about=("mean or standard deviation over the window of a short-term feature of pyAudioAnalysis (not bounded)",),
)
_F0_AND_LOUDNESS = ("amean", "stddevNorm", "percentile20.0", "percentile50.0", "percentile80.0", "pctlrange0-2",
                    "meanRisingSlope", "stddevRisingSlope", "meanFallingSlope", "stddevFallingSlope")  # fmt: skip
_VOICED = ("jitterLocal", "shimmerLocaldB", "HNRdBACF", "logRelF0-H1-H2", "logRelF0-H1-A3",
           *(f"F{i}{what}" for i in (1, 2, 3) for what in ("frequency", "bandwidth", "amplitudeLogRelF0")),
           "alphaRatioV", "hammarbergIndexV", "slopeV0-500", "slopeV500-1500", "spectralFluxV",
           "mfcc1V", "mfcc2V", "mfcc3V", "mfcc4V")  # fmt: skip
# Names, order and units are openSMILE's own, which the field knows them by.
EGEMAPS_FUNCTIONALS = (
    *(f"F0semitoneFrom27.5Hz_sma3nz_{what}" for what in _F0_AND_LOUDNESS),
    *(f"loudness_sma3_{what}" for what in _F0_AND_LOUDNESS),
    *(f"{name}_sma3_{what}" for name in ("spectralFlux", "mfcc1", "mfcc2", "mfcc3", "mfcc4") for what in _F0_AND_LOUDNESS[:2]),
    *(f"{name}_sma3nz_{what}" for name in _VOICED for what in _F0_AND_LOUDNESS[:2]),
    *(f"{name}UV{band}_sma3nz_amean" for name, band in (
        ("alphaRatio", ""), ("hammarbergIndex", ""), ("slope", "0-500"), ("slope", "500-1500"), ("spectralFlux", ""))),
    "loudnessPeaksPerSec", "VoicedSegmentsPerSec", "MeanVoicedSegmentLengthSec", "StddevVoicedSegmentLengthSec",
    "MeanUnvoicedSegmentLength", "StddevUnvoicedSegmentLength", "equivalentSoundLevel_dBp",
)  # fmt: skip
EGEMAPS_V02 = Scheme(
    "egemaps_v02", EGEMAPS_FUNCTIONALS, prefix="opensmile_", about=("functional of eGeMAPS v02 by openSMILE (not bounded)",)
)
EGEMAPS_LIKE = Scheme(
    "egemaps_like",
    EGEMAPS_FUNCTIONALS,
    prefix="egemaps_",
    about=("functional named and defined as in eGeMAPS v02, by our own measures: alike, not equal (not bounded)",),
)
