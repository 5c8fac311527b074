"""Pictures of high dynamic range become what the same scene is in an ordinary recording."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emotrace.decode import Chunk
from emotrace.video import Video

# Colours of an ordinary picture, and the 10-bit Y'CbCr in BT.2020 that zimg (zscale=npl=203:agamma=0 of FFmpeg) makes of them.
COLOURS = [(0, 0, 0), (16, 16, 16), (54, 54, 54), (108, 108, 108), (150, 150, 150), (190, 190, 190),
           (141, 85, 60), (190, 60, 60), (60, 80, 180)]  # fmt: skip
CODED = {
    "hlg": [(64, 512, 512), (113, 512, 512), (229, 512, 512), (395, 512, 512), (522, 512, 512), (616, 512, 512),
            (363, 450, 579), (367, 446, 657), (324, 678, 493)],
    "pq": [(64, 512, 512), (145, 512, 512), (280, 512, 512), (396, 512, 512), (460, 512, 512), (509, 512, 512),
           (376, 476, 544), (375, 476, 579), (352, 587, 503)],
}  # fmt: skip
NUMBER = {"hlg": 18, "pq": 16, "ordinary": 1}   # in ITU-T H.273
CELL = 32   # px


def recording(target: Path, transfer: str, pictures: list[list[tuple[int, int, int]]], full: bool = False) -> Video:
    """A film of 10 bits as a phone writes it; in each picture a row of cells of one colour each, 10-bit Y'CbCr."""
    with av.open(str(target), "w") as writer:
        stream = writer.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = CELL * len(pictures[0]), CELL, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = NUMBER[transfer], 9, 9
        context.color_range = 2 if full else 1
        for i, colours in enumerate(pictures):
            frame = av.VideoFrame(stream.width, stream.height, "yuv420p10le")
            for plane, values, size in zip(frame.planes, np.array(colours).T, (CELL, CELL // 2, CELL // 2), strict=True):
                rows = np.zeros((size, plane.line_size // 2), "<u2")
                rows[:, : size * len(values)] = np.repeat(values, size)
                plane.update(rows.tobytes())
            frame.pts, frame.time_base, frame.color_range = i, Fraction(1, 25), context.color_range
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    return Video.open(target)


def cells(chunk: Chunk) -> np.ndarray:
    """Colour in the middle of each cell of the first picture, (n, 3)."""
    return chunk.images[0, CELL // 2, CELL // 2 :: CELL].astype(int)


@pytest.mark.parametrize("transfer", ["hlg", "pq"])
def test_a_colour_of_an_hdr_recording_is_that_of_an_ordinary_one(transfer: str, tmp_path: Path) -> None:
    video = recording(tmp_path / "phone.mp4", transfer, [CODED[transfer]])
    assert video.hdr is not None
    assert video.hdr.name == transfer
    seen = cells(next(video.chunks()))
    np.testing.assert_allclose(seen, COLOURS, atol=3)


@pytest.mark.parametrize(("transfer", "white", "most"), [("hlg", 721, 940), ("pq", 573, 723)])   # 75 % and 58 %, 1000 cd/m2
def test_what_is_brighter_than_white_is_not_cut_off(transfer: str, white: int, most: int, tmp_path: Path) -> None:
    levels = [(level, 512, 512) for level in np.linspace(white, most, 5).astype(int)]
    seen = cells(next(recording(tmp_path / "phone.mp4", transfer, [levels]).chunks()))
    assert (seen.max(axis=1) - seen.min(axis=1) <= 1).all()
    assert seen[0, 0] == pytest.approx(236, abs=2)
    assert seen[-1, 0] in (254, 255)
    assert (np.diff(seen[:, 0]) >= 0).all()
    assert (np.diff(seen[:3, 0]) > 0).all()


def test_hdr_in_full_range_and_turned_is_the_same(tmp_path: Path) -> None:
    def full(colour: tuple[int, int, int]) -> tuple[int, int, int]:
        y, u, v = colour
        return round((y - 64) / 876 * 1023), *(round(512 + (each - 512) / 896 * 1023) for each in (u, v))

    one = recording(tmp_path / "one.mp4", "hlg", [CODED["hlg"]])
    two = recording(tmp_path / "two.mp4", "hlg", [[full(colour) for colour in CODED["hlg"]]], full=True)
    content = bytearray((tmp_path / "one.mp4").read_bytes())
    place = content.index(b"tkhd") + 44
    turned = (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    content[place : place + 36] = b"".join((value % (1 << 32)).to_bytes(4, "big") for value in turned)
    (tmp_path / "turned.mp4").write_bytes(content)
    stored = next(one.chunks()).images[0]
    np.testing.assert_allclose(cells(next(two.chunks())), cells(next(one.chunks())), atol=3)
    np.testing.assert_array_equal(next(Video.open(tmp_path / "turned.mp4").chunks()).images[0], np.rot90(stored, -1))


def test_the_grey_levels_for_cuts_are_those_of_an_ordinary_screen(tmp_path: Path) -> None:
    greys = range(1, 6)
    for transfer in ("hlg", "pq"):
        chunk = next(recording(tmp_path / f"{transfer}.mp4", transfer, [[CODED[transfer][i]] for i in greys]).chunks())
        np.testing.assert_allclose(chunk.luma[: len(greys), 18, 32], [COLOURS[i][0] for i in greys], atol=3)


def test_an_ordinary_recording_of_10_bits_has_no_hdr(tmp_path: Path) -> None:
    video = recording(tmp_path / "plain.mp4", "ordinary", [[(64, 512, 512), (502, 512, 512), (940, 512, 512)]])
    assert video.hdr is None
    np.testing.assert_allclose(cells(next(video.chunks()))[:, 1], [0, 128, 255], atol=2)   # as swscale rounds 10 bits
