"""Readers on small copies of each published layout."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
import scipy.io

from emotrace.corpora import affectnet, catalogue, folders, tfd
from emotrace.corpora.labels import position
from emotrace.corpora.table import table
from emotrace.errors import InputError, UnknownNameError
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8

AFFECTNET_HEAD = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"


def picture(path, grey=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((48, 48), grey, np.uint8))


def named(faces):
    return [EXPRESSION_8.labels[i] if i >= 0 else None for i in faces.label]


def test_folders_named_after_expressions_with_and_without_splits(tmp_path):
    picture(tmp_path / "a" / "Happy" / "1.png", 10)
    picture(tmp_path / "a" / "contempt" / "2.jpg")
    faces = folders.read_classes(tmp_path / "a")
    assert sorted(named(faces)) == ["contempt", "happiness"]
    assert faces.split.tolist() == ["", ""]
    assert faces.images().shape == (2, 48, 48)
    picture(tmp_path / "b" / "train" / "fear" / "1.png")
    assert folders.read_classes(tmp_path / "b").split.tolist() == ["train"]


def test_folders_of_pictures_named_after_no_expression_are_named(tmp_path):
    picture(tmp_path / "angry" / "1.png")
    (tmp_path / "angry" / "folder.png").mkdir()
    picture(tmp_path / ".ipynb_checkpoints" / "1.png")
    picture(tmp_path / "__MACOSX" / "angry" / "._1.png")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "read.txt").touch()
    assert folders.read_classes(tmp_path).origin.tolist() == ["angry/1.png"]
    picture(tmp_path / "hapy" / "2.png")
    picture(tmp_path / "train" / "sadd" / "3.png")
    with pytest.raises(InputError, match=r"no expression \(hapy, train/sadd\); expected folders named afraid, .*happy"):
        folders.read_classes(tmp_path)


def test_ck_plus_knows_the_subject(tmp_path):
    picture(tmp_path / "surprise" / "S010_002_00000014.png")
    faces = folders.read_ck_plus(tmp_path)
    assert (named(faces), faces.subject.tolist()) == (["surprise"], ["S010"])
    picture(tmp_path / "surprise" / "other.png")
    with pytest.raises(InputError, match=r"other.png: expected a name as S010_004_00000017.png"):
        folders.read_ck_plus(tmp_path)


def test_jaffe_and_radboud_have_label_and_subject_in_the_name(tmp_path):
    picture(tmp_path / "jaffe" / "KA.AN1.39.tiff")
    picture(tmp_path / "jaffe" / "YM.HA3.54.tiff")
    faces = folders.read_jaffe(tmp_path / "jaffe")
    assert (named(faces), faces.subject.tolist()) == (["anger", "happiness"], ["KA", "YM"])
    picture(tmp_path / "rafd" / "Rafd090_01_Caucasian_female_contemptuous_frontal.jpg")
    picture(tmp_path / "rafd" / "Rafd045_23_Moroccan_male_sad_left.jpg")
    faces = folders.read_radboud(tmp_path / "rafd")
    assert (named(faces), faces.subject.tolist()) == (["sadness", "contempt"], ["23", "01"])
    assert faces.split.tolist() == ["045", "090"]


def test_a_picture_whose_name_holds_no_expression_is_named(tmp_path):
    picture(tmp_path / "jaffe" / "KA.XX1.39.tiff")
    with pytest.raises(InputError, match=r"KA.XX1.39.tiff: 'XX' is no known expression; expected one of afraid"):
        folders.read_jaffe(tmp_path / "jaffe")
    picture(tmp_path / "rafd" / "Rafd045_23_Moroccan_male_bored_left.jpg")
    with pytest.raises(InputError, match=r"male_bored_left.jpg: 'bored' is no known expression"):
        folders.read_radboud(tmp_path / "rafd")


def test_sfew_keeps_its_parts_and_its_unlabelled_test(tmp_path):
    picture(tmp_path / "Train" / "Angry" / "a.png")
    picture(tmp_path / "Val" / "Neutral" / "b.png")
    picture(tmp_path / "Test" / "c.png")
    faces = folders.read_sfew(tmp_path)
    assert dict(zip(faces.split.tolist(), named(faces), strict=True)) == {"Train": "anger", "Val": "neutral", "Test": None}
    picture(tmp_path / "Train" / "Hapy" / "d.png")
    with pytest.raises(InputError, match=r"Train: files lie in folders named after no expression \(Hapy\)"):
        folders.read_sfew(tmp_path)


def test_stills_and_aligned_faces_of_sfew_are_no_single_corpus(tmp_path):
    for part in ("Train_Aligned_Faces", "Val_Aligned_Faces"):
        picture(tmp_path / part / "Angry" / "a.png")
    assert folders.read_sfew(tmp_path).split.tolist() == ["Train_Aligned_Faces", "Val_Aligned_Faces"]
    picture(tmp_path / "Train" / "Angry" / "a.png")
    words = r"stills of SFEW \(Train\) and the faces aligned in them \(Train_Aligned_Faces, Val_Aligned_Faces\), .* move those"
    with pytest.raises(InputError, match=words):
        folders.read_sfew(tmp_path)


def test_tfd_gives_the_parts_of_a_fold(tmp_path):
    images = np.arange(8 * 48 * 48, dtype=np.uint32).reshape(8, 48, 48).astype(np.uint8)
    scipy.io.savemat(tmp_path / "t.mat", {
        "images": images, "labs_ex": np.array([[1], [2], [3], [4], [5], [6], [7], [-1]]),
        "labs_id": np.array([[5]] * 7 + [[-1]]), "folds": np.array([[1, 2]] * 3 + [[2, 3]] * 2 + [[3, 1]] * 2 + [[0, 0]]),
    })  # fmt: skip
    faces = tfd.read(tmp_path / "t.mat")
    assert named(faces) == [*EXPRESSION_7.labels, None]
    assert faces.split.tolist() == ["train"] * 3 + ["val"] * 2 + ["test"] * 2 + ["unlabelled"]
    assert tfd.read(tmp_path / "t.mat", fold=1).split[0] == "val"
    assert (faces.images() == images).all()
    assert faces.subject.tolist() == ["5"] * 7 + [""]
    scipy.io.savemat(tmp_path / "x.mat", {"images": images})
    with pytest.raises(InputError, match="no variable 'labs_ex'; expected images, labs_ex, labs_id, folds; found images"):
        tfd.read(tmp_path / "x.mat")
    (tmp_path / "text.mat").write_text("not a MATLAB file at all, but long enough to hold a head " * 4)
    with pytest.raises(InputError, match="not a MATLAB file"):
        tfd.read(tmp_path / "text.mat")


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ({"folds": np.full((2, 5), 9)}, r"variable 'folds' is other values; expected \(n, 5\) of 0..3 for 2 images"),
        ({"folds": np.zeros((2, 0))}, r"variable 'folds' is float64 \(2, 0\); expected \(n, 5\)"),
        ({"labs_ex": np.array([[1], [8]])}, r"variable 'labs_ex' is other values; expected \(n, 1\) of 1..7, or -1 for none"),
        ({"labs_ex": np.array([[1], [np.nan]])}, r"variable 'labs_ex' is other values"),
        ({"labs_ex": np.array([[1]])}, r"variable 'labs_ex' is int64 \(1, 1\); expected \(n, 1\)"),
        ({"labs_id": "nobody"}, r"variable 'labs_id' is <U6 \(1,\); expected numbers"),
        ({"images": np.zeros((2, 48, 48))}, r"variable 'images' is float64 \(2, 48, 48\); expected grey levels .* of 8 bits"),
        ({"images": {"of": 1}}, r"variable 'images' is .*; expected grey levels"),
    ],
)
def test_a_variable_of_tfd_that_is_something_else_is_named(tmp_path, variable, words):
    right = {"images": np.zeros((2, 48, 48), np.uint8), "labs_ex": [[1], [-1]], "labs_id": [[5], [-1]], "folds": [[1] * 5] * 2}
    scipy.io.savemat(tmp_path / "t.mat", right | variable)
    with pytest.raises(InputError, match=words) as caught:
        tfd.read(tmp_path / "t.mat")
    assert "\n" not in str(caught.value)


def test_a_tfd_with_a_damaged_byte_is_named(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48)).astype(np.uint8)
    scipy.io.savemat(tmp_path / "t.mat", {"images": images}, do_compression=True)
    content = bytearray((tmp_path / "t.mat").read_bytes())
    content[-1000] ^= 255
    (tmp_path / "t.mat").write_bytes(content)
    with pytest.raises(InputError, match=r"t.mat: not a MATLAB file up to version 7, or damaged \(zlib.error: Error -3"):
        tfd.read(tmp_path / "t.mat")


@pytest.mark.parametrize("place", [145, 192])   # whether numbers are complex; of which type they are
def test_a_tfd_with_a_wrong_byte_that_crashes_the_reader_is_named(tmp_path, place):
    scipy.io.savemat(tmp_path / "t.mat", {"images": np.zeros((8, 48, 48), np.uint8), "folds": np.ones((8, 5))})
    content = bytearray((tmp_path / "t.mat").read_bytes())
    content[place] = {145: 255, 192: 0}[place]
    (tmp_path / "t.mat").write_bytes(content)
    with pytest.raises(InputError, match=r"t.mat: not a MATLAB file up to version 7, or damaged \(the reader crashed\)"):
        tfd.read(tmp_path / "t.mat")


@pytest.mark.parametrize("kept", [0, 100, 127, 300])
def test_a_tfd_that_is_cut_off_is_named(tmp_path, kept):
    scipy.io.savemat(tmp_path / "t.mat", {"images": np.zeros((8, 48, 48), np.uint8)})
    (tmp_path / "cut.mat").write_bytes((tmp_path / "t.mat").read_bytes()[:kept])
    with pytest.raises(InputError, match=r"cut.mat: not a MATLAB file up to version 7, or damaged"):
        tfd.read(tmp_path / "cut.mat")


def test_affectnet_of_2017_has_labels_valence_and_arousal(tmp_path):
    picture(tmp_path / "Manually_Annotated_Images" / "1" / "a.jpg")
    (tmp_path / "training.csv").write_text(f"{AFFECTNET_HEAD}\n1/a.jpg,0,0,1,1,x,6,-0.5,0.25\n1/a.jpg,0,0,1,1,x,10,-2,-2\n")
    faces = affectnet.read(tmp_path)
    assert named(faces) == ["anger", None]
    assert faces.affect[0].tolist() == [-0.5, 0.25]
    assert np.isnan(faces.affect[1]).all()
    assert faces.images().shape == (2, 48, 48)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("1.0,0,0", r"training.csv:2: '1.0' is no label; expected 0..10, or -1 for none"),
        ("nan,0,0", r"training.csv:2: 'nan' is no label"),
        ("11,0,0", r"training.csv:2: '11' is no label"),
        ("1,much,0", r"training.csv:2: valence is 'much'; expected a number"),
        ("1,0,", r"training.csv:2: arousal is ''; expected a number"),
        ("1", r"training.csv:2: expected 9 cells as in the head, found 7"),
    ],
)
def test_a_row_of_affectnet_that_cannot_be_read_is_named(tmp_path, cells, words):
    (tmp_path / "training.csv").write_text(f"{AFFECTNET_HEAD}\n1/a.jpg,0,0,1,1,x,{cells}\n")
    with pytest.raises(InputError, match=words):
        affectnet.read(tmp_path)


def test_affectnet_of_2017_is_read_as_published_with_lists_in_a_folder_of_their_own_and_no_head_in_one(tmp_path):
    picture(tmp_path / "Manually_Annotated" / "Manually_Annotated_Images" / "1" / "a.jpg")
    lists = tmp_path / "Manually_Annotated_file_lists"
    lists.mkdir()
    rows = ("1/a.jpg,0,0,1,1,1.0;2.0,6,-0.5,0.25", "/far/b.jpg,0,0,1,1,1.0;2.0,1,1,0")
    (lists / "training.csv").write_text("\n".join((AFFECTNET_HEAD, *rows)))
    (lists / "validation.csv").write_text("1/a.jpg,0,0,1,1,1.0;2.0,3,0.5,-0.25\n")
    faces = affectnet.read(tmp_path)
    assert list(zip(named(faces), faces.split.tolist(), strict=True)) == [
        ("anger", "training"), ("happiness", "training"), ("surprise", "validation"),
    ]  # fmt: skip
    assert faces.affect.tolist() == [[-0.5, 0.25], [1, 0], [0.5, -0.25]]
    assert faces.origin.tolist()[1:] == ["/far/b.jpg", "Manually_Annotated/Manually_Annotated_Images/1/a.jpg"]
    assert faces[np.array([0, 2])].images().shape == (2, 48, 48)
    (lists / "validation.csv").write_text("1/a.jpg,0,0,1,1,1.0;2.0,12,0.5,-0.25\n")
    with pytest.raises(InputError, match=r"validation.csv:1: '12' is no label"):
        affectnet.read(tmp_path)


@pytest.mark.parametrize("expression", ["-1", ""])
def test_a_row_of_affectnet_without_a_label_has_none(tmp_path, expression):
    (tmp_path / "training.csv").write_text(f"{AFFECTNET_HEAD}\n1/a.jpg,0,0,1,1,x,{expression},0,0\n", encoding="utf-8-sig")
    assert named(affectnet.read(tmp_path)) == [None]


def test_a_picture_that_a_table_lists_and_is_not_there_is_named(tmp_path):
    (tmp_path / "training.csv").write_text(f"{AFFECTNET_HEAD}\n1/a.jpg,0,0,1,1,x,1,0,0\n")
    with pytest.raises(InputError, match=r"1/a.jpg: cannot be read \(No such file or directory\); expected a picture"):
        affectnet.read(tmp_path).images()


def test_affectnet_of_2021_reads_its_annotation_files(tmp_path):
    for number, expression in ((0, 7), (12, 1)):
        picture(tmp_path / "val_set" / "images" / f"{number}.jpg")
        for what, value in (("exp", str(expression)), ("val", "0.5"), ("aro", "-0.25")):
            (tmp_path / "val_set" / "annotations").mkdir(exist_ok=True)
            np.save(tmp_path / "val_set" / "annotations" / f"{number}_{what}.npy", np.array(value))
    (tmp_path / "val_set" / "images" / "._0.jpg").touch()   # as macOS adds it to archives
    faces = affectnet.read(tmp_path)
    assert (named(faces), faces.split.tolist()) == (["contempt", "happiness"], ["val_set"] * 2)
    assert faces.affect.tolist() == [[0.5, -0.25]] * 2
    np.save(tmp_path / "val_set" / "annotations" / "12_exp.npy", np.array("nan"))
    with pytest.raises(InputError, match=r"val_set/annotations/12_exp.npy: 'nan' is no label; expected 0..10"):
        affectnet.read(tmp_path)
    for damage in (lambda file: file.write_bytes(b""), lambda file: np.save(file, np.zeros(2)), lambda file: file.unlink()):
        damage(tmp_path / "val_set" / "annotations" / "12_exp.npy")
        with pytest.raises(InputError, match=r"12_exp.npy: expected one number as NumPy writes it"):
            affectnet.read(tmp_path)


@pytest.mark.parametrize("name", list(catalogue.CORPORA))
def test_every_corpus_refuses_an_empty_folder_in_one_line_and_says_what_it_expects(tmp_path, name):
    with pytest.raises(InputError, match="expected") as caught:
        catalogue.read(name, tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("corpus", catalogue.CORPORA.values(), ids=lambda corpus: corpus.name)
def test_every_corpus_says_where_it_is_and_on_what_terms(corpus):
    assert corpus.about
    assert corpus.layout
    assert corpus.where
    assert corpus.terms


def test_unknown_words_and_corpora_list_what_is_known(tmp_path):
    with pytest.raises(InputError, match="X: 'sleepy' is no known expression; expected one of afraid"):
        position("sleepy", "X")
    with pytest.raises(UnknownNameError, match="there is no corpus 'fer'; there are: fer2013, jaffe"):
        catalogue.read("fer", tmp_path)


def test_a_picture_that_is_none_is_named(tmp_path):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "1.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"1.png is no image that can be decoded"):
        folders.read_classes(tmp_path).images()


def test_a_picture_of_more_pixels_than_can_be_decoded_is_named(tmp_path):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "1.pgm").write_bytes(b"P5 40000 40000 255\n" + bytes(100))
    with pytest.raises(InputError, match=r"1.pgm is no image that can be decoded \(expected .* of at most 2\^30 pixels\)"):
        folders.read_classes(tmp_path).images()


def test_a_damaged_picture_is_said_in_one_line_and_by_no_library_besides(tmp_path, capfd):
    picture(tmp_path / "happy" / "1.png")
    (tmp_path / "happy" / "1.png").write_bytes((tmp_path / "happy" / "1.png").read_bytes()[:-30])
    with pytest.raises(InputError, match=r"1.png is no image that can be decoded"):
        folders.read_classes(tmp_path).images()
    assert capfd.readouterr().err == ""


def test_large_pictures_are_not_held_all_at_once():
    pictures = [cv2.imencode(".png", np.full((2000, 2000), i, np.uint8))[1].tobytes() for i in range(20)]
    faces = table("made", pictures, [0] * 20, [str(i) for i in range(20)])
    tracemalloc.start()   # OpenCV's pictures count as NumPy's
    images = faces.images(48)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert images[:, 0, 0].tolist() == list(range(20))
    assert most < 3 * 2000 * 2000


@pytest.mark.parametrize("split", ["test", ""])
def test_a_corpus_without_parts_says_so(tmp_path, split):
    picture(tmp_path / "KA.AN1.39.tiff")
    with pytest.raises(InputError, match=f"JAFFE has no split '{split}'; it has: none"):
        folders.read_jaffe(tmp_path).of_split(split)


def test_pictures_of_several_sizes_need_a_size(tmp_path):
    picture(tmp_path / "happy" / "1.png")
    cv2.imwrite(str(tmp_path / "happy" / "2.png"), np.zeros((60, 40), np.uint8))
    faces = folders.read_classes(tmp_path)
    with pytest.raises(InputError, match="pictures of 2 sizes"):
        faces.images()
    assert faces.images(48).shape == (2, 48, 48)
