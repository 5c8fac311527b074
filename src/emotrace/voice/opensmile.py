"""The feature sets of openSMILE, by openSMILE itself, with the `opensmile` extra.

**openSMILE's licence allows research and private use only; commercial use needs a licence from audEERING.** The package's
metadata say MIT, which holds for the Python wrapper, not for the openSMILE that it carries. So nothing here is a default.
`voice.egemaps` measures the like of eGeMAPS without it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import MissingExtraError
from emotrace.scheme import EGEMAPS_V02, Scheme
from emotrace.views import VoiceSamples


class OpenSmile:
    """Functionals of one of openSMILE's sets over each window of sound. Not for commercial use: see the module.

    Args:
        name: a set of `opensmile.FeatureSet`, "eGeMAPSv02".
        scheme: meaning of the columns; asked of the library where None.

    Raises:
        MissingExtraError: the `opensmile` extra is not installed.

    Source: Eyben, Wöllmer & Schuller 2010, openSMILE - The Munich Versatile and Fast Open-Source Audio Feature Extractor.
    """

    def __init__(self, name: str, scheme: Scheme | None = None) -> None:
        self.smile = _smile(name)
        self.scheme = scheme or Scheme(name, tuple(self.smile.feature_names), about=("functional of openSMILE (not bounded)",))

    def extract(self, samples: VoiceSamples) -> NDArray[np.float32]:
        """Values, (n, k); NaN for windows without sound enough for a frame (60 ms)."""
        values = np.full((len(samples), len(self.scheme)), np.nan, np.float32)
        if samples.length < 0.06 * samples.sample_rate:   # openSMILE would warn and fill in zeros
            return values
        for row, sound in enumerate(samples.windows()):
            values[row] = self.smile.process_signal(sound, samples.sample_rate).to_numpy()[0]
        return values


class EgemapsV02(OpenSmile):
    """The 88 functionals of eGeMAPS v02. Not for commercial use: see the module.

    Source: Eyben et al. 2016, The Geneva Minimalistic Acoustic Parameter Set (GeMAPS), IEEE TAC 7(2).
    """

    scheme = EGEMAPS_V02

    def __init__(self) -> None:
        super().__init__("eGeMAPSv02", EGEMAPS_V02)


class Compare2016(OpenSmile):
    """The 6,373 functionals of the ComParE challenges. Not for commercial use: see the module.

    Source: Schuller et al. 2016, The INTERSPEECH 2016 Computational Paralinguistics Challenge.
    """

    def __init__(self) -> None:
        super().__init__("ComParE_2016")


class Interspeech2010(OpenSmile):
    """The 1,582 functionals of the INTERSPEECH 2010 challenge. Not for commercial use: see the module.

    Source: Schuller et al. 2010, The INTERSPEECH 2010 Paralinguistic Challenge.
    """

    def __init__(self) -> None:
        super().__init__("IS10")


@cache
def _smile(name: str) -> Any:
    try:
        library = import_module("opensmile")
    except ModuleNotFoundError as error:
        what = f"openSMILE's {name} needs more libraries: pip install 'emotrace[opensmile]' (its licence is for research only)"
        raise MissingExtraError(what) from error
    return library.Smile(library.FeatureSet[name], library.FeatureLevel.Functionals)
