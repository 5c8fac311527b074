"""Where the time of `emotrace analyze` goes: milliseconds of one core a frame, stage by stage.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/stages.py [CLIP] [--rounds 3]

`analyze` runs decoding, following and measuring side by side; here they run one after the other in one thread, so that each is
timed alone. Writing of files, grouping of people and the report are left out. Without a clip, that of one face of
`bench/clips.py` is taken. Numbers go to the table in docs/performance.md.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clips

from emotrace.face.detect import Detector
from emotrace.face.landmarks import Mesh
from emotrace.face.track import Tracker
from emotrace.measure import Measurer, measure
from emotrace.settings import Settings
from emotrace.shots import ShotDetector
from emotrace.video import Video


class Clock:
    """Seconds by stage; what is timed within a stage is that stage's no more."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.within: list[float] = [0.0]

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, timed."""
        def run(*given: Any) -> Any:
            self.within.append(0.0)
            began = time.perf_counter()
            result = work(*given)
            taken = time.perf_counter() - began
            self.seconds[stage] += taken - self.within.pop()
            self.within[-1] += taken
            return result

        return run


def stages(path: Path) -> dict[str, float]:
    """Milliseconds a frame of every stage."""
    settings, clock = Settings(), Clock()
    mesh, detector = Mesh(), Detector(settings.min_face)
    find = clock.timed("mesh", mesh.locate)
    detect = clock.timed("detector", detector.detect)

    def now(image: Any) -> Callable[[], Any]:
        found = detect(image)
        return lambda: found

    tracker = Tracker(lambda image, regions: [find(image, region) for region in regions], now, settings.detect_every)
    measurer, shots = Measurer(settings, "cpu"), ShotDetector()
    for name, extractor in measurer.extractors.items():
        extractor.extract = clock.timed(name, extractor.extract)
    chunks = Video.open(path).chunks(settings.start, settings.end, settings.rate)
    draw = clock.timed("decoding", lambda: next(chunks, None))
    see, follow, tell = (
        clock.timed(*pair) for pair in (("cuts", shots.update), ("following", tracker.update), ("tables, portraits", measure))
    )
    frames = 0
    while (chunk := draw()) is not None:
        cuts, shot = see(chunk.luma)
        analysed = chunk.analysed
        tracks = follow(chunk.images, chunk.number[analysed], chunk.time[analysed], shot[analysed])
        tell(measurer, chunk, cuts, shot, tracks)
        frames += len(chunk)
    return {stage: 1000 * seconds / frames for stage, seconds in clock.seconds.items()}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    clip = given.clip or clips.one_face(Path(tempfile.gettempdir()) / "emotrace-bench")
    runs = [stages(clip) for _ in range(given.rounds)]
    found = {stage: statistics.median(run[stage] for run in runs) for stage in runs[0]}
    print("| stage | ms |\n|---|---|")
    for stage, taken in sorted(found.items(), key=lambda pair: -pair[1]):
        print(f"| {stage} | {taken:.2f} |")
    print(f"| all, one after the other | {sum(found.values()):.2f} |")


if __name__ == "__main__":
    main()
