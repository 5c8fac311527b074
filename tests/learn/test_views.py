"""A network sees a face where it was taught to, in eighteen views."""

import numpy as np
import pytest
from made_faces import LEVELS, faces_of, smooth

from emotrace.face.align import SFACE_112
from emotrace.learn.trunks import Trunk
from emotrace.learn.views import EIGHTEEN, View, seen


def test_there_are_eighteen_views_of_which_the_first_is_plain() -> None:
    assert len(set(EIGHTEEN)) == 18
    assert EIGHTEEN[0] == View()
    assert View().matrix(48) == pytest.approx(np.eye(3))


def test_a_mirrored_view_is_the_mirror_image() -> None:
    pictures = smooth(3, 16)
    assert (seen(faces_of(pictures), LEVELS, View()) == pictures).all()
    assert (seen(faces_of(pictures), LEVELS, View(mirrored=True)) == pictures[:, :, ::-1]).all()


def test_a_quarter_turn_goes_clockwise_and_a_zoom_keeps_the_middle() -> None:
    pictures = smooth(2, 16)
    assert seen(faces_of(pictures), LEVELS, View(degrees=90)) == pytest.approx(np.rot90(pictures, -1, (1, 2)), abs=1)
    zoomed = View(zoom=2.0).matrix(15)
    assert zoomed @ [7, 7, 1] == pytest.approx([7, 7, 1])
    assert zoomed @ [8, 6, 1] == pytest.approx([9, 5, 1])


def test_points_come_to_lie_on_the_template_of_each_network() -> None:
    where = np.asarray(SFACE_112.points) * 0.9 + 8
    picture = np.zeros((1, 128, 128, 3), np.uint8)
    for x, y in np.round(where).astype(int):
        picture[0, y - 1 : y + 2, x - 1 : x + 2] = 255
    for template in (SFACE_112, SFACE_112.resized(64), SFACE_112.resized(96)):
        trunk = Trunk("any", template.size, 1, template, LEVELS.run)
        (found,) = seen(faces_of(picture, where[None]), trunk, View())
        for x, y in np.round(template.points).astype(int):
            assert found[y - 2 : y + 3, x - 2 : x + 3].max() > 80


def test_without_points_the_picture_is_taken_whole() -> None:
    picture = np.zeros((1, 64, 64, 3), np.uint8)
    picture[0, :, 32:] = 200
    (found,) = seen(faces_of(picture), Trunk("any", 16, 3, SFACE_112, LEVELS.run), View())
    assert (found[:, :8] == 0).all()
    assert (found[:, 8:] == 200).all()
