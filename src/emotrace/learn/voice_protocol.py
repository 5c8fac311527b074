"""How the voice network is tested: speakers of RAVDESS and nEMO left out in turn, and what is derived as their affect.

    run i leaves out   group i of RAVDESS's actors (five groups, each half women)   and speaker i of nEMO
    run 5, 6, ...      nobody                                                       and speaker i of nEMO

What the runs say of those they never heard is gathered, so that every clip is judged once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emotrace.corpora import nemo, ravdess
from emotrace.corpora.voices import Voices
from emotrace.errors import InputError
from emotrace.face.valence_arousal import PLACES
from emotrace.learn import arrays
from emotrace.learn.arrays import Arrays
from emotrace.learn.by_speaker import centred
from emotrace.learn.evaluate import as_json
from emotrace.learn.mark import content, mark
from emotrace.learn.mel_augment import padded, speech_of
from emotrace.learn.metrics import concordance, score, softmax, temperature
from emotrace.learn.networks.voice import EXPRESSIONS, VoiceListener
from emotrace.scheme import VOICE_EXPRESSION
from emotrace.voice.log_mel import log_mel

NAMES = ("ravdess", "nemo")   # folders of the two corpora
WINDOW = 200                  # frames that `analyze` hears at once: 2 s
SHORT = " in 2 s"             # behind a corpus's name, where that much of each clip was heard
BY_SPEAKER = " by speaker"    # behind it, where answers are taken relative to those about the same speaker
RECORDINGS = "recordings"     # in that file, which ones there were; see `recordings_of`
FILE = "outputs.npz"          # in a run's folder, what it says of those left out
GROUPS = 5                    # of RAVDESS's actors
CALM = (0.68, -0.46)          # "relaxed". Source: Russell & Mehrabian 1977, as of PLACES
SHOWN = 96                    # clips of each corpus that measure the ranges of 8 bits
UNVARIED = 0.5                # intensity of corpora that do not vary it: between normal and strong
NORMAL = 0.7                  # how far from the circumplex's origin what is acted at normal intensity lies; strong is 1

Said = dict[str, tuple[NDArray[np.float32], Voices]]       # by corpus: outputs (n, 10) of clips left out, and their table
Hear = Callable[[Sequence[Tensor]], NDArray[np.float32]]   # n log-mels (t, 80) -> (n, 10): logits, valence and arousal


@dataclass(frozen=True, slots=True)
class Clips:
    """Voices as the network hears them.

    Args:
        corpus: their table.
        mels: n log-mels (t, 80) float16.
    """

    corpus: Voices
    mels: Sequence[Tensor]

    @classmethod
    def of(cls, corpus: Voices) -> Clips:
        """Decode and transform each recording once."""
        return cls(corpus, [torch.from_numpy(log_mel(clip).astype(np.float16)) for clip in corpus.clips()])

    def __len__(self) -> int:
        return len(self.mels)

    def __getitem__(self, rows: NDArray[np.bool_]) -> Clips:
        """The rows of a mask."""
        return Clips(self.corpus[rows], [self.mels[i] for i in np.flatnonzero(rows).tolist()])


def read(corpora: Path) -> tuple[Clips, Clips]:
    """RAVDESS and nEMO from a folder that holds both, as `ravdess` and `nemo`.

    Raises:
        InputError: one of them is not there, or has another layout.
    """
    return Clips.of(ravdess.read(corpora / NAMES[0])), Clips.of(nemo.read(corpora / NAMES[1]))


def affect(corpus: Voices) -> NDArray[np.float32]:
    """Valence and arousal derived from label and intensity, (n, 2)."""
    places = np.array([(PLACES | {"calm": CALM})[label] for label in VOICE_EXPRESSION.labels], np.float32)
    strength = np.nan_to_num(corpus.intensity, nan=UNVARIED)[:, None]
    derived: NDArray[np.float32] = places[corpus.label] * (NORMAL + (1 - NORMAL) * strength)
    return derived


@torch.no_grad()
def outputs_of(network: VoiceListener, mels: Sequence[Tensor], batch: int = 16) -> NDArray[np.float32]:
    """Logits, valence and arousal of whole clips, (n, 10), those of like length in one batch."""
    found = np.zeros((len(mels), EXPRESSIONS + 2), np.float32)
    order = np.argsort([len(mel) for mel in mels], kind="stable")
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        found[rows] = network(padded([mels[i] for i in rows])).float().numpy()
    return found


def windows_of(mels: Sequence[Tensor]) -> list[Tensor]:
    """The 2 s in the middle of each clip's voice, as `analyze` hears them; shorter clips are whole."""
    return [mel[start : start + WINDOW] for start, mel in zip(starts_of(mels), mels, strict=True)]


def starts_of(mels: Sequence[Tensor]) -> list[int]:
    """The frame with which the 2 s in the middle of each clip's voice begin."""
    middles = [sum(speech_of(mel)) // 2 for mel in mels]
    return [max(0, min(middle - WINDOW // 2, len(mel) - WINDOW)) for middle, mel in zip(middles, mels, strict=True)]


def groups_of(corpus: Voices) -> list[NDArray[np.bool_]]:
    """RAVDESS's actors in five groups, as many women as men in each where that is possible; (n,) masks."""
    men, women = ([s for s in sorted(set(corpus.speaker)) if int(s) % 2 == odd] for odd in (1, 0))
    return [np.isin(corpus.speaker, men[i::GROUPS] + women[i::GROUPS]) for i in range(GROUPS)]


def speakers_of(corpus: Voices) -> list[NDArray[np.bool_]]:
    """nEMO's speakers one by one, (n,) masks."""
    return [corpus.speaker == speaker for speaker in sorted(set(corpus.speaker))]


def left_out(actors: Clips, polish: Clips, run: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows of both corpora that a run of the cross-validation is tested on."""
    groups, speakers = groups_of(actors.corpus), speakers_of(polish.corpus)
    nobody = np.zeros(len(actors), np.bool_), np.zeros(len(polish), np.bool_)
    return groups[run] if run < GROUPS else nobody[0], speakers[run] if run < len(speakers) else nobody[1]


def runs_of(polish: Clips) -> range:
    """The runs in which every group of RAVDESS's actors and every speaker of nEMO is left out once."""
    return range(max(GROUPS, len(speakers_of(polish.corpus))))


def left_out_by(actors: Clips, polish: Clips, runs: Sequence[int]) -> dict[str, NDArray[np.int64]]:
    """Which of these runs leaves out each clip, (n,) by corpus, in the order in which `gathered` gives what they say."""
    masks = [left_out(actors, polish, run) for run in runs]
    return {
        name: np.concatenate([np.full(int(rows[i].sum()), run, np.int64) for run, rows in zip(runs, masks, strict=True)])
        for i, name in enumerate(NAMES)
    }


def recordings_of(parts: Sequence[Clips]) -> str:
    """A mark of the recordings of corpora, of who speaks in them, and how."""
    tables = [part.corpus for part in parts]
    facts = ((table.label, table.intensity, *table.speaker, *map(content, table.recordings)) for table in tables)
    return mark(*(fact for table in facts for fact in table))


def said_of(hear: Hear, parts: Sequence[Clips]) -> dict[str, NDArray[np.float32]]:
    """What is heard in clips of both corpora, whole and in 2 s of each, by name."""
    whole = {name: hear(part.mels) for name, part in zip(NAMES, parts, strict=True)}
    return whole | {name + SHORT: hear(windows_of(part.mels)) for name, part in zip(NAMES, parts, strict=True)}


def shown_of(parts: Sequence[Clips]) -> Tensor:
    """2 s of some clips of each corpus, (n, t, 80), by which ranges are measured; less where no clip is so long."""
    windows = [window for part in parts for window in windows_of(part.mels)[:: max(1, len(part) // SHOWN)]]
    long = [window for window in windows if len(window) == WINDOW] or windows
    shortest = min(len(window) for window in long)
    return torch.stack([window[:shortest].float() for window in long])


def said_before(place: Path, recordings: str) -> Arrays:
    """What a run that is done says of those left out, by name.

    Args:
        place: folder of the run.
        recordings: mark of those that there are now.

    Raises:
        InputError: it heard other recordings, or what it said is not whole.
    """
    said = arrays.load(place / FILE)
    if str(said.get(RECORDINGS)) != recordings:   # a run of before does not say what it heard, so it may be anything
        raise InputError(f"{place}: run on other recordings than are given now; use another folder")
    return said


def done_in(folder: Path, polish: Clips) -> list[int]:
    """The runs that are done in a folder."""
    return [run for run in runs_of(polish) if (folder / f"run{run}" / FILE).is_file()]


def gathered(actors: Clips, polish: Clips, folder: Path, runs: Sequence[int] | None = None) -> Said:
    """What these runs, or all that are done, say of clips whose speakers they never heard.

    Raises:
        InputError: a run heard other recordings than these, or what it said is not whole.
    """
    parts, found = (actors, polish), {}
    done = done_in(folder, polish) if runs is None else runs
    known = recordings_of(parts)
    said_in = {run: said_before(folder / f"run{run}", known) for run in done}
    for i, name in enumerate(NAMES):
        rows = [left_out(actors, polish, run)[i] for run in done]
        table = [parts[i].corpus[np.concatenate([np.flatnonzero(each) for each in rows])]] if any(map(np.any, rows)) else []
        for corpus in table:
            for kind in (name, name + SHORT):
                found[kind] = np.concatenate([np.asarray(said_in[run][kind], np.float32) for run in done]), corpus
    return found


def cross_scores(answers: Said, warmth: float = 1.0) -> dict[str, dict[str, object]]:
    """Scores of the cross-validation by corpus: of all who were left out, of women, of men, and of each speaker alone."""
    scores: dict[str, dict[str, object]] = {}
    for name, (outputs, corpus) in answers.items():
        said = softmax(outputs[:, :EXPRESSIONS] / np.float32(warmth))
        derived = affect(corpus)
        scores[name] = {
            **as_json(score(said, corpus.label, VOICE_EXPRESSION.labels)),
            "ccc": [concordance(outputs[:, EXPRESSIONS + i], derived[:, i]) for i in range(2)],
            "uar_of": {
                group: score(said[column == group], corpus.label[column == group], VOICE_EXPRESSION.labels).uar
                for column in (corpus.gender, corpus.speaker)
                for group in sorted(set(column.tolist()))
            },
        }
        relative = score(centred(said, corpus.speaker), corpus.label, VOICE_EXPRESSION.labels)
        scores[name + BY_SPEAKER] = {**as_json(relative)}
    return scores


def warmth_of(answers: Said) -> float:
    """The temperature that fits what the runs say of whole clips of speakers they never heard."""
    found = [part for name, part in answers.items() if name in NAMES]
    said, truth = np.concatenate([outputs for outputs, _ in found]), np.concatenate([corpus.label for _, corpus in found])
    return temperature(said[:, :EXPRESSIONS], truth)
