"""Pictures of high dynamic range, as phones record them, as an ordinary screen shows them: HLG and PQ become BT.709.

    stored picture ─swscale─▶ R'G'B' in 16 bits ─a table of 33 x 33 x 33 colours─▶ RGB uint8
                                                 signal ▶ light ▶ BT.709 ▶ shoulder ▶ signal

White of 203 cd/m2, as such pictures have it, becomes a bright white, and what is brighter is pressed together above it. All
that is darker than four fifths of white's signal keeps the value that an ordinary recording has. Read without that, faces are
dark, flat and without colour.

Source: ITU-R BT.2100-2 (HLG with a peak of 1000 cd/m2, PQ), BT.2408-7 (white at 203 cd/m2), BT.1886 (2.4, the ordinary screen).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av.filter
import av.video.codeccontext
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from emotrace.container import in_colour

WHITE = 203.0          # cd/m2
PEAK = 1000.0          # cd/m2, of the screen that HLG is meant for
SCREEN = 2.4           # exponent from signal to light of an ordinary screen
SHOULDER = 0.8         # signal from which on bright light is pressed together; white comes to 0.93
GRID = 33              # colours along each side of the table: greys are within 2 levels of the formulas, 99 % of skin colours
                       # within 3, of all colours within 21, where red, green or blue is nearly black; 65 take 2 s to make
BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593])
# Light of the given primaries, numbered as in ITU-T H.273, to BT.709's; others and unspecified ones are taken for BT.2020's.
BT2020, TO_BT709 = 9, {
    1: np.eye(3),
    9: np.array([[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]),
    12: np.array([[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]]),   # P3 with D65
}  # fmt: skip


def _hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light (cd/m2) of a screen with a peak of 1000, which is the scene's to the power 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return np.asarray(PEAK * scene * (scene @ BT2020_LUMA)[..., None] ** 0.2)


def _pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light (cd/m2), up to 10,000."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (1 / m2)
    return np.asarray(10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1))


TRANSFERS: dict[int, tuple[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {16: ("pq", _pq), 18: ("hlg", _hlg)}


@dataclass(frozen=True, slots=True)
class Hdr:
    """How the pictures of a file are coded.

    Args:
        transfer: number of it in ITU-T H.273, one of TRANSFERS.
        primaries: number of them there.
    """

    transfer: int
    primaries: int = BT2020

    @classmethod
    def of(cls, context: av.video.codeccontext.VideoCodecContext) -> Hdr | None:
        """As a decoder that has given a picture says; None for ordinary pictures."""
        return cls(context.color_trc, context.color_primaries) if context.color_trc in TRANSFERS else None

    @property
    def name(self) -> str:
        """"hlg" or "pq"."""
        return TRANSFERS[self.transfer][0]

    def shown(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Signal of an ordinary screen.

        Args:
            signal: (..., 3) R'G'B', 0..1.

        Returns:
            (..., 3), 0..1.
        """
        light = TRANSFERS[self.transfer][1](signal) / WHITE @ TO_BT709.get(self.primaries, TO_BT709[BT2020]).T
        plain = np.maximum(light, 0) ** (1 / SCREEN)
        room = 1 - SHOULDER
        bright = 1 - room * np.exp(-np.maximum(plain - SHOULDER, 0) / room)   # joins without a bend, and never quite ends
        return np.asarray(np.where(plain > SHOULDER, bright, plain))


@dataclass(slots=True)
class Screen:
    """Shows pictures of one file."""

    hdr: Hdr
    reformatter: VideoReformatter = field(default_factory=VideoReformatter)
    graph: av.filter.Graph | None = None
    size: tuple[int, int] = (0, 0)   # of the pictures that go through it

    def show(self, frame: av.VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        """A picture in the given size, (height, width, 3) uint8 RGB."""
        signal = in_colour(self.reformatter, frame, width, height, "gbrp16le")
        if self.graph is None or self.size != (width, height):
            self.graph, self.size = self._new(signal), (width, height)
        self.graph.vpush(signal)
        planes = [
            np.frombuffer(memoryview(plane), "<u2").reshape(height, -1)[:, :width] for plane in self.graph.vpull().planes
        ]  # fmt: skip
        green, blue, red = (cv2.convertScaleAbs(plane, alpha=255 / 65535) for plane in planes)
        return np.asarray(cv2.merge([red, green, blue]), np.uint8)

    def shades(self) -> NDArray[np.uint8]:
        """(256,) what each grey level becomes."""
        grey = np.repeat(np.arange(256)[:, None] / 255, 3, axis=1)
        return np.round(255 * self.hdr.shown(grey)[:, 1]).astype(np.uint8)

    def _new(self, signal: av.VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        source = graph.add_buffer(width=signal.width, height=signal.height, format=signal.format, time_base=Fraction(1, 1))
        with tempfile.TemporaryDirectory(prefix="emotrace-") as folder:
            table = Path(folder) / "hdr.cube"   # FFmpeg takes a table from a file alone
            table.write_text(self._table(), encoding="ascii")
            look_up = graph.add("lut3d", None, file=str(table), interp="tetrahedral")
        graph.link_nodes(source, look_up, graph.add("buffersink")).configure()
        return graph

    def _table(self) -> str:
        """In the form of Adobe's Cube LUT, red changing first."""
        side = np.linspace(0, 1, GRID)
        blue, green, red = np.meshgrid(side, side, side, indexing="ij")
        colours = self.hdr.shown(np.stack([red, green, blue], axis=-1).reshape(-1, 3)).tolist()
        return "\n".join([f"LUT_3D_SIZE {GRID}", *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in colours), ""])
