"""The main path: one video from its file to the finished folder.

    decode (thread) ─Chunk─▶ shots, tracker (here) ─Tracks─▶ measure (thread) ─tables─▶ store
                                                                                        │ after the last chunk
                                                                 who is who, tables, people, report ◀─┘

Chunks begin at fixed frames and every stage is deterministic, so that an analysis which was interrupted and went on gives the
same numbers as one in one go.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from emotrace.decode import Chunk
from emotrace.engine import Device
from emotrace.errors import FolderError
from emotrace.face.detect import Detections, Detector
from emotrace.face.landmarks import Mesh, Region
from emotrace.face.portraits import PortraitChooser
from emotrace.face.track import Tracker
from emotrace.measure import Measured, Measurer, measure
from emotrace.settings import Settings
from emotrace.shots import ShotDetector
from emotrace.store import Store
from emotrace.tracks import Tracks
from emotrace.video import Video

T = TypeVar("T")
Taken = tuple[Chunk, NDArray[np.bool_], NDArray[np.int32], Tracks]   # a chunk, its cuts, its shots, its faces
PART_FRAMES = 256        # frames in memory before they are written
MESHES = 2               # faces of one frame whose mesh is found side by side

Progress = Callable[[int, float], None]   # told the frames done and the time (s) reached


@dataclass(slots=True)
class Counts:
    """What was met on the way: frames decoded, analysed and damaged, faces in them, packets lost, times that were guessed.

    `shots` are those begun so far; `last_number` and `last_time` (s) are those of the last frame, -1 and None before any.
    """

    frames: int = 0
    analysed: int = 0
    faces: int = 0
    lost_packets: int = 0
    guessed_times: int = 0
    damaged: int = 0
    shots: int = 0
    last_number: int = -1
    last_time: float | None = None
    wall_seconds: float = 0.0

    def add(self, chunk: Chunk, faces: int) -> None:
        """Count one more chunk."""
        self.frames += len(chunk)
        self.analysed += int(chunk.analysed.sum())
        self.faces += faces
        self.lost_packets += chunk.lost_packets
        self.guessed_times += chunk.guessed_times
        self.damaged += int(chunk.damaged.sum())
        if len(chunk):
            self.last_number, self.last_time = int(chunk.number[-1]), float(chunk.time[-1])


class FacePool:
    """Finds the meshes of several faces, and looks for new ones, side by side; each mesh with a network of its own.

    Args:
        min_face: smallest face to detect, as in Settings.
    """

    def __init__(self, min_face: float | None) -> None:
        self.detector = Detector(min_face)
        self.meshes: queue.SimpleQueue[Mesh] = queue.SimpleQueue()
        for _ in range(MESHES):
            self.meshes.put(Mesh())
        self.pool = ThreadPoolExecutor(MESHES, "faces")

    def detect(self, image: NDArray[np.uint8]) -> Callable[[], Detections]:
        """Begin to look for faces; call what is given to have them."""
        return self.pool.submit(self.detector.detect, image).result

    def locate(self, image: NDArray[np.uint8], regions: list[Region]) -> list[tuple[NDArray[np.float32], float]]:
        """Mesh and presence in each region."""
        if len(regions) <= 1:
            return [self._one(image, region) for region in regions]
        return list(self.pool.map(lambda region: self._one(image, region), regions))

    def _one(self, image: NDArray[np.uint8], region: Region) -> tuple[NDArray[np.float32], float]:
        mesh = self.meshes.get()
        try:
            return mesh.locate(image, region)
        finally:
            self.meshes.put(mesh)

    def close(self) -> None:
        """Let the threads go."""
        self.pool.shutdown()


@dataclass(slots=True)
class Run:
    """One analysis under way."""

    video: Video
    settings: Settings
    store: Store
    measurer: Measurer
    tracker: Tracker
    shots: ShotDetector = field(default_factory=ShotDetector)
    counts: Counts = field(default_factory=Counts)
    part: int = 0
    waiting: list[Measured] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def take(self, chunk: Chunk) -> tuple[Taken, dict[str, Any]]:
        """Find shots and tracks of the next chunk; gives what is to be measured and the state after it."""
        cuts, shots = self.shots.update(chunk.luma)
        chosen = chunk.analysed
        tracks = self.tracker.update(chunk.images, chunk.number[chosen], chunk.time[chosen], shots[chosen])
        self.counts.add(chunk, len(tracks))
        self.counts.shots = self.shots.shot + 1
        return (chunk, cuts, shots, tracks), self._state()

    def keep(self, measured: Measured, state: dict[str, Any]) -> None:
        """Take in the tables of a chunk; write a part when there are enough."""
        self.waiting.append(measured)
        self.state = state
        if sum(len(item.frames) for item in self.waiting) >= PART_FRAMES:
            self.flush()

    def flush(self) -> None:
        """Write what waits as the next part."""
        if not self.waiting:
            return
        tables = {
            name: pa.concat_tables([getattr(item, name) for item in self.waiting]) for name in ("frames", "faces", "portraits")
        }
        self.store.add(self.part, tables, self.state)
        self.part += 1
        self.waiting = []

    def _state(self) -> dict[str, Any]:
        return {"counts": asdict(self.counts), "shots": self.shots.as_json(), "tracker": self.tracker.as_json()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that was saved."""
        self.part, self.state = state["parts"], state
        self.counts = Counts(**state["counts"])
        self.shots = ShotDetector.from_json(state["shots"])
        self.tracker.restore(state["tracker"])
        self.measurer.chooser = PortraitChooser.from_json(state["chooser"])


def run(video: Video, settings: Settings, store: Store, device: Device, progress: Progress) -> Counts:
    """Decode, track and measure a whole video into the parts of a store, going on where the store stands.

    What was measured before an interruption or an error is written before it is passed on.

    Returns:
        What was counted, over all runs that it took.
    """
    began = time.perf_counter()
    pool = FacePool(settings.min_face)
    tracker = Tracker(pool.locate, pool.detect, settings.detect_every)
    work = Run(video, settings, store, Measurer(settings, device), tracker)
    if (state := store.state()) is not None:
        try:
            work.restore(state)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FolderError(f"{store.folder}: what was kept is damaged; measure anew with --overwrite") from error
    before = work.counts.wall_seconds
    after = None if work.counts.last_time is None else (work.counts.last_number, work.counts.last_time)
    chunks = video.chunks(settings.start, settings.end, settings.rate, after)
    try:
        for counts_after in _measured(work, chunks):
            work.counts.wall_seconds = before + time.perf_counter() - began
            progress(counts_after["frames"], counts_after["last_time"] or 0.0)
    finally:
        work.flush()
        pool.close()
    work.counts.wall_seconds = before + time.perf_counter() - began
    progress(work.counts.frames, work.counts.last_time or settings.start)
    return work.counts


def _measured(work: Run, chunks: Iterator[Chunk]) -> Iterator[dict[str, Any]]:
    """Run the three stages side by side; yields the counts after each chunk that has been kept."""
    pending: deque[tuple[Future[tuple[Measured, dict[str, Any]]], dict[str, Any]]] = deque()

    def job(parts: Taken) -> tuple[Measured, dict[str, Any]]:
        measured = measure(work.measurer, *parts)
        return measured, work.measurer.chooser.as_json()

    def keep_oldest() -> dict[str, Any]:
        future, state = pending.popleft()
        measured, chooser = future.result()
        work.keep(measured, {**state, "chooser": chooser})
        counts: dict[str, Any] = state["counts"]
        return counts

    with ThreadPoolExecutor(1, "measure") as executor, closing(prefetch(chunks)) as ready:
        try:
            for chunk in ready:
                parts, state = work.take(chunk)
                pending.append((executor.submit(job, parts), state))
                if len(pending) > 1:
                    yield keep_oldest()
            while pending:
                yield keep_oldest()
        finally:
            while pending and pending[0][0].exception() is None:   # what went well before an error or Ctrl-C is kept
                keep_oldest()


def prefetch(items: Iterator[T]) -> Generator[T]:
    """Draw from an iterator in a thread of its own, one item before it is asked for."""
    ready: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(1)
    stopped = threading.Event()

    def put(item: tuple[T | None, BaseException | None]) -> None:
        while not stopped.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    def draw() -> None:
        try:
            for item in items:
                put((item, None))
                if stopped.is_set():
                    return
            put((None, None))
        except BaseException as error:  # noqa: BLE001  # handed to the thread that asks, which raises it
            put((None, error))

    thread = threading.Thread(target=draw, name="decode", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
