"""Plots: they are well-formed and show the numbers."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from emotrace.learn.plots import confusion_svg, reliability_svg, weights_svg

SVG = "{http://www.w3.org/2000/svg}"


def test_the_confusion_matrix_shows_percent_of_each_row():
    root = ElementTree.fromstring(confusion_svg(np.array([[3, 1], [0, 0]]), ("a<b", "c")))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts[2:] == ["a<b", "75", "25", "c", "–", "–", "truth", "answer"]  # of the second row nothing was answered
    assert [rect.find(f"{SVG}title").text for rect in root.iter(f"{SVG}rect")][:2] == ["a<b as a<b: 3", "a<b as c: 1"]


def test_the_bars_of_the_reliability_diagram_are_as_high_as_answers_are_right():
    confidence = np.array([0.99] * 4 + [0.5] * 2 + [0], np.float32)  # nothing was said of the last
    root = ElementTree.fromstring(reliability_svg(confidence, np.array([1, 1, 1, 0, 1, 0, 0], bool), bins=10))
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    assert [float(bar.get("height")) for bar in bars] == [180.0, 270.0]
    assert bars[1].find(f"{SVG}title").text == "3 of 4 right"
    assert {"confidence", "share of right answers"} <= {text.text for text in root.iter(f"{SVG}text")}


def test_the_weights_show_percent_of_each_class():
    weights = np.array([[0.25, 1], [0.75, 0]], np.float32)
    root = ElementTree.fromstring(weights_svg(weights, ("audio", "a & b"), ("anger", "joy")))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts[2:] == ["audio", "25", "100", "a & b", "75", "0", "model", "class"]
    assert next(root.iter(f"{SVG}rect")).find(f"{SVG}title").text == "audio, anger: 0.250"
