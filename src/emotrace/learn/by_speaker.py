"""Answers about a voice relative to what is said of the same speaker on the whole.

    posteriors of a speaker's clips ─log─▶ less their mean over the clips ─softmax─▶ posteriors

A network that has not heard a voice before takes part of what is the voice's own for expression: one speaker sounds sad to
it in all that he says. Where several clips of a speaker are at hand, that can be taken away without their labels. It rests on
every speaker having about the same mixture of expressions, as in acted corpora; of somebody who is sad all the time it takes
the sadness away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.learn.metrics import softmax

LEAST = 1e-7  # probability that counts as none


def check_known(speakers: NDArray[np.str_]) -> None:
    """See that the speaker of every recording is known, (n,).

    Raises:
        InputError: one is not.
    """
    if (speakers == "").any():
        raise InputError(f"{(speakers == '').sum()} of {len(speakers)} recordings have no speaker; leave out --by-speaker")


def centred(posteriors: NDArray[np.float32], speakers: NDArray[np.str_]) -> NDArray[np.float32]:
    """Posteriors (n, k) relative to the mean of their speaker's log posteriors, (n, k).

    Args:
        posteriors: (n, k) float32 that sum to 1; NaN rows stay and do not count.
        speakers: (n,).

    Raises:
        InputError: speakers are not known.
    """
    check_known(speakers)
    logs = np.log(np.maximum(posteriors, LEAST), dtype=np.float64)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        logs[own] -= np.nanmean(logs[own], axis=0) if not np.isnan(logs[own]).all() else 0
    return softmax(logs.astype(np.float32))
