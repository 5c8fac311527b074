"""An output folder with planted truths, written as `analyze` writes it, in a fraction of a second.

Two people and three shots in 18 s at 25 frames/s: P1 smiles from 3 s on (shot 0, 0-6 s), P2 frowns from 9 s on
(shot 1, 6-12 s), both are seen in shot 2 (12-18 s) with an unassigned face between them. With TURNS and SAID the file has
sound: P1 speaks, P2 speaks, somebody unseen speaks, and face and voice are fused.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from planted_sound import Said, Turns, plant_sound, speaker_at

from emotrace import columns, registry
from emotrace.analysis import Analysis, load
from emotrace.weights import entries

RATE = 25.0
SHOTS = (0.0, 6.0, 12.0)
END = 18.0
SIZE = (320, 180)
SMILE, FROWN = 3.0, 9.0
DEFAULT = tuple(registry.default_names())
SEEN = {"P1": ((0.0, 6.0), (12.0, 18.0)), "P2": ((6.0, 12.0), (12.0, 18.0)), "": ((13.0, 14.0),)}
PLACE = {"P1": 40.0, "P2": 200.0, "": 120.0}
TURNS = (("P1", 4.0), ("silence", 3.008), ("P2", 4.0), ("silence", 2.016), ("", 4.0), ("silence", 0.96))
SAID: Mapping[str, list[tuple[str, str] | None]] = {
    "P1": [*[("neutral", "face+voice")] * 3, ("happiness", "face+voice"), ("", ""), ("happiness", "face"), *[None] * 5,
           *[("happiness", "face")] * 6],
    "P2": [*[None] * 5, *[("neutral", "face")] * 2, *[("anger", "face+voice")] * 4, *[("anger", "face")] * 6],
    "": [*[None] * 13, *[("sadness", "voice")] * 3, None],
}  # fmt: skip
SOUND_RATE = 48_000
TONE = 220.0   # Hz, where somebody speaks


@dataclass(frozen=True)
class Planted:
    """What to write.

    Args:
        names: names of P1 and P2; fewer where fewer people are there.
        components: what was measured.
        measured: False leaves every gated value NaN.
        image: one frame of a still picture.
        end: s, length of the video.
        file: name of the video.
        warnings: said by the analysis.
        turns: who speaks; no sound without any.
        said: what is fused.
        pictures: False for a file of sound alone.
    """

    names: tuple[str, ...] = ("P1", "P2")
    components: tuple[str, ...] = DEFAULT
    measured: bool = True
    image: bool = False
    end: float = END
    file: str = "clip.mp4"
    warnings: tuple[str, ...] = ()
    turns: Turns = ()
    said: Said = field(default_factory=dict)
    pictures: bool = True
    extra: dict[str, object] = field(default_factory=dict)


def plant(root: Path, what: Planted = Planted(), playable: bool = False) -> Analysis:
    """Write the folder, and the video beside it where `playable`."""
    folder = root / f"{what.file}.emotrace"
    (folder / "thumbnails").mkdir(parents=True)
    frames = _frames(what)
    faces = _faces(what, frames)
    people = _people(what, folder, frames, faces)
    _write(folder, "frames", columns.FRAMES, frames)
    _write(folder, "faces", columns.faces(what.components), faces)
    _write(folder, "people", columns.PEOPLE, people)
    named = {"P1": "P1", "P2": "P2"} | dict(zip(("P1", "P2"), what.names, strict=False))
    turns = [(named.get(who, who), seconds) for who, seconds in what.turns]
    said = {named.get(who, who): line for who, line in what.said.items()}
    plant_sound(folder, turns, said, [name for name in what.components if name.startswith("voice.")])
    (folder / "analysis.json").write_text(json.dumps(_provenance(what, frames)), encoding="utf-8")
    if playable:
        if not what.pictures:
            recording(root / what.file, what.turns)
        elif what.image:
            picture(root / what.file)
        else:
            film(root / what.file, frames["time"], what.turns)
    return load(folder)


def _frames(what: Planted) -> dict[str, np.ndarray]:
    count = 1 if what.image else round(what.end * RATE) if what.pictures else 0
    time = np.arange(count) / RATE
    shot = np.searchsorted(SHOTS, time, side="right") - 1
    return {
        "frame": np.arange(count), "time": time, "analysed": np.ones(count, bool), "damaged": np.zeros(count, bool),
        "cut": np.diff(shot, prepend=shot[:1]) > 0, "shot": shot, "faces": np.ones(count, int),
    }  # fmt: skip


def _faces(what: Planted, frames: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    parts = []
    named = dict(zip(("P1", "P2"), what.names, strict=False)) | ({"": ""} if what.names else {})
    for who, name in named.items():
        for number, (start, stop) in enumerate(SEEN[who]):
            rows = np.flatnonzero((frames["time"] >= start) & (frames["time"] < stop))
            parts.append(_face(what, who, name, number, frames["frame"][rows], frames["time"][rows]))
    order = np.argsort(np.concatenate([part["frame"] for part in parts]), kind="stable") if parts else []
    names = [column.name for column in columns.faces(what.components)]
    return {name: np.concatenate([part[name] for part in parts])[order] if parts else np.zeros(0) for name in names}


def _face(
    what: Planted, who: str, name: str, number: int, frame: np.ndarray, time: np.ndarray
) -> dict[str, np.ndarray]:
    """Rows of one track: it drifts to the right by 4 px a second."""
    left = PLACE[who] + 4 * time
    values: dict[str, np.ndarray] = {
        "frame": frame, "time": time, "track": np.full(len(time), number + 10 * (1 + list(SEEN).index(who))),
        "person": np.full(len(time), name, object), "score": np.full(len(time), 0.99),
        "x1": left, "y1": np.full(len(time), 50.0), "x2": left + 60, "y2": np.full(len(time), 120.0),
    }  # fmt: skip
    smile, frown = (time >= SMILE) & (who == "P1"), (time >= FROWN) & (who == "P2")
    for column in columns.faces(what.components):
        if column.dtype.endswith("]"):
            values[column.name] = np.zeros((len(time), int(column.dtype[8:-1])))
        elif column.source and column.name not in values:
            gated = registry.spec(column.source).gated and not what.measured
            values[column.name] = np.full(len(time), np.nan) if gated else _measured(column.name, smile, frown)
    return values


def _measured(name: str, smile: np.ndarray, frown: np.ndarray) -> np.ndarray:
    changed = {
        "expression_happiness": 0.8 * smile, "expression_anger": 0.7 * frown, "AU12": 0.6 * smile, "AU04": 0.5 * frown,
        "expression_neutral": 1 - 0.8 * smile - 0.7 * frown, "valence": 0.65 * smile - 0.36 * frown,
        "arousal": 0.41 * smile + 0.41 * frown, "quality": np.full(len(smile), 0.9),
        "pose_yaw": 20.0 * smile, "pose_pitch": -10.0 * frown,
    }  # fmt: skip
    return changed.get(name, np.zeros(len(smile)))


def _people(
    what: Planted, folder: Path, frames: dict[str, np.ndarray], faces: dict[str, np.ndarray]
) -> dict[str, list[object]]:
    rows = []
    for i, name in enumerate(what.names):
        mine = np.flatnonzero(faces["person"] == name)
        time = faces["time"][mine]
        known = what.measured and "face.expression" in what.components
        picture(folder / "thumbnails" / f"{i}.jpg", 64)
        rows.append({
            "person": name, "seconds": len(mine) / RATE, "first": float(time[0]), "last": float(time[-1]),
            "frames": len(mine), "measured": len(mine) if what.measured else 0,
            "tracks": sorted(set(faces["track"][mine].tolist())), "age": 34.0 + 20 * i if what.measured else None,
            "age_spread": 4.0 if what.measured else None, "female": 0.93 - 0.81 * i if what.measured else None,
            "valence": 0.5 - i if known else None, "arousal": 0.3 if known else None,
            "expression": ("happiness", "anger")[i % 2] if known else "", "thumbnail": f"thumbnails/{i}.jpg", "embedding": None,
        })  # fmt: skip
    return {column.name: [row[column.name] for row in rows] for column in columns.PEOPLE}


def _write(folder: Path, name: str, what: tuple[columns.Column, ...], values: dict[str, object]) -> None:
    schema = columns.schema(what)
    arrays = [pa.array(list(values[part.name]), part.type) for part in schema]
    pq.write_table(pa.table(arrays, schema=schema), folder / f"{name}.parquet")


def _provenance(what: Planted, frames: dict[str, np.ndarray]) -> dict[str, object]:
    needed = {weight for line in registry.with_needs(what.components) for weight in line.weights}
    count = len(frames["frame"])
    return {
        "schema": columns.SCHEMA_VERSION, "emotrace": "0.1.0", "created": "2026-01-01T12:00:00+00:00", "finished": True,
        "video": {
            "name": what.file, "path": f"/nowhere/{what.file}", "relative": f"../{what.file}",
            "width": SIZE[0] * what.pictures, "height": SIZE[1] * what.pictures, "has_pictures": what.pictures,
            "rotation": 0, "codec": "h264",
            "duration": None if what.image else what.end,
            "rate": RATE if what.pictures and not what.image else None,
            "has_sound": bool(what.turns), "sound_rate": SOUND_RATE if what.turns else 0,
            "is_image": what.image, "pixel_aspect": 1.0, "fingerprint": "00",
        },
        "settings": {"components": list(what.components), "start": 0.0, "end": None, "rate": None, "min_quality": 0.2},
        "weights": {name: entries()[name].sha256 for name in sorted(needed)}, "libraries": {"numpy": np.__version__},
        "counts": {"frames": count, "analysed": count, "faces": count, "tracks": 5, "people": len(what.names), "shots": 3},
        "warnings": list(what.warnings), "wall_seconds": 2.0, "frames_per_second": count / 2, **what.extra,
    }  # fmt: skip


def picture(file: Path, side: int = 0) -> None:
    """A grey picture."""
    import cv2

    width, height = (side, side) if side else SIZE
    assert cv2.imwrite(str(file), np.full((height, width, 3), 128, np.uint8))


def tone(turns: Turns) -> np.ndarray:
    """A tone where somebody speaks, (n,) -1..1."""
    time = np.arange(round(sum(seconds for _, seconds in turns) * SOUND_RATE)) / SOUND_RATE
    heard = np.array([speaker_at(turns, second) != "silence" for second in np.arange(0, time[-1], 0.032)])
    return 0.2 * np.sin(2 * np.pi * TONE * time) * heard[np.minimum((time / 0.032).astype(int), len(heard) - 1)]


def recording(file: Path, turns: Turns) -> None:
    """A file of sound alone."""
    with wave.open(str(file), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(SOUND_RATE)
        stream.writeframes((tone(turns) * 32767).astype("<i2").tobytes())


def film(file: Path, times: np.ndarray, turns: Turns = ()) -> None:
    """A film with the grey level of each shot, two squares where the planted faces are, and a tone where somebody speaks."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=round(RATE), options={"g": "25", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="mono") if turns else None
        for time in times:
            image = np.full((SIZE[1], SIZE[0], 3), 60 + 40 * int(np.searchsorted(SHOTS, time, side="right")), np.uint8)
            for left in (PLACE["P1"], PLACE["P2"]):
                image[50:120, int(left + 4 * time) : int(left + 4 * time) + 60] = (220, 180, 150)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
        if sound is not None:
            frame = av.AudioFrame.from_ndarray(tone(turns)[None].astype(np.float32), format="fltp", layout="mono")
            frame.sample_rate = SOUND_RATE
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
