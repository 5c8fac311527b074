"""The rules of fusion: against their formulas, on what is planted, and with models that are missing."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.fuse import mean_pool, temper
from emotrace.learn import fusion
from emotrace.learn.answers import Answers, judge, temperatures
from emotrace.learn.confusion_weights import recalls, weights
from emotrace.learn.stacking import Stack, mlp, principal_components, rbf_svm
from emotrace.learn.subsets import rank
from emotrace.learn.weight_search import Search

NAN = np.float32(np.nan)


def answers(
    n: int = 140, strength: tuple[float, ...] = (1.5, 1.0, 1.2), missing: float = 0.0, seed: int = 0
) -> Answers:
    """Models that are right more often the stronger they are; the first is of the face, the others of the voice."""
    k, rng = 7, np.random.default_rng(seed)
    truth = np.arange(n) % k
    logits = rng.normal(size=(len(strength), n, k)) + np.array(strength)[:, None, None] * np.eye(k)[truth]
    posteriors = (np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)).astype(np.float32)
    posteriors[rng.random((len(strength), n)) < missing] = NAN
    modality = ("face", *("voice",) * (len(strength) - 1))
    group = np.array([f"{i}" for i in rng.integers(0, 4, n)])
    return Answers(tuple(f"m{i}" for i in range(len(strength))), modality, posteriors, truth, group)


def hand_made() -> Answers:
    """Two models, two classes, eight clips: recalls .75 and .5 of the face, .25 and 1 of the voice."""
    named = np.array([[0, 0, 0, 1, 0, 0, 1, 1], [0, 1, 1, 1, 1, 1, 1, 1]])
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    posteriors = (0.2 + 0.6 * np.eye(2)[named]).astype(np.float32)
    return Answers(("face", "voice"), ("face", "voice"), posteriors, truth, np.array(["a", "b"] * 4))


def test_recalls_and_weights_are_those_of_the_confusion_matrices() -> None:
    two = hand_made()
    assert recalls(two) == pytest.approx(np.array([[0.75, 0.5], [0.25, 1.0]]))
    assert weights(two) == pytest.approx(np.array([[0.75, 1 / 3], [0.25, 2 / 3]]))
    assert weights(two, "face") == pytest.approx(np.array([[0.75, 0.5], [0.25, 0.5]]))
    assert weights(two, "voice") == pytest.approx(np.array([[0.75, 0.0], [0.25, 1.0]]))


def test_several_models_of_a_modality_share_what_it_is_given() -> None:
    three = answers(missing=0.1)
    for preferred in (None, "face", "voice", "body"):
        assert weights(three, preferred).sum(axis=0) == pytest.approx(1, abs=1e-5)
    own = weights(three, "voice")
    assert own[1:].sum(axis=0) == pytest.approx(recalls(three)[1:].mean(axis=0), abs=1e-5)


def test_recalls_are_counted_where_a_model_says_something() -> None:
    two = hand_made()
    two.posteriors[0, :3] = NAN  # of class 0 the face names only the fourth clip, and wrongly
    assert recalls(two)[0] == pytest.approx([0, 0.5])


def test_a_weighted_sum_by_confusion_matrices_is_that_sum() -> None:
    two = hand_made()
    combined = fusion.by_confusion("face")(two, np.random.default_rng(0))(two.posteriors)
    expected = two.posteriors[0] * [0.75, 0.5] + two.posteriors[1] * [0.25, 0.5]
    assert combined == pytest.approx(expected / expected.sum(axis=1, keepdims=True), abs=1e-6)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_all_subsets_are_ranked_by_the_accuracy_of_their_average(missing: float) -> None:
    four = answers(strength=(1.5, 1.0, 0.2, 1.2), missing=missing)
    found = rank(four)
    assert len(found) == 15
    assert len({subset.models for subset in found}) == 15
    assert [subset.accuracy for subset in found] == sorted((subset.accuracy for subset in found), reverse=True)
    for size in (1, 2, 3, 4):
        for chosen in combinations(range(4), size):
            pooled = mean_pool(four.posteriors[list(chosen)], np.ones(size))
            accuracy = next(subset.accuracy for subset in found if subset.models == chosen)
            assert accuracy == pytest.approx(judge(pooled, four.truth).accuracy)


def test_of_equally_good_subsets_the_smaller_comes_first() -> None:
    sure = np.eye(3, dtype=np.float32)[np.arange(9) % 3]
    same = Answers(("a", "b"), ("face", "face"), np.stack([sure, sure]), np.arange(9) % 3, np.array([""] * 9))
    assert [subset.models for subset in rank(same)] == [(0,), (1,), (0, 1)]


@pytest.mark.parametrize("rule", fusion.rules(), ids=lambda rule: rule.name)
def test_every_rule_gives_distributions_and_leaves_out_what_is_missing(rule: fusion.Rule) -> None:
    held_out, test = answers(missing=0.1), answers(seed=1, missing=0.2)
    if "search" in rule.name:
        short = Search(500, 1, 200)
        rule = fusion.Rule(rule.name, fusion.bagged(5, short) if "bagged" in rule.name else fusion.searched(short))
    combine = rule.fit(held_out, np.random.default_rng(0))
    test.posteriors[:, 0] = NAN
    test.posteriors[1:, 1] = NAN
    fused = combine(test.posteriors)
    assert fused.shape == (140, 7)
    assert np.isnan(fused[0]).all()
    gone = np.isnan(fused).any(axis=1)
    assert fused[~gone].sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert gone.mean() < 0.2
    answered = test[np.flatnonzero(~np.isnan(test.posteriors).any(axis=2).any(axis=0))]
    best = max(judge(values, answered.truth).accuracy for values in answered.posteriors)
    assert judge(combine(answered.posteriors), answered.truth).accuracy > best + (0.0 if "preferring" in rule.name else 0.04)


def test_models_of_one_modality_count_together_as_much_as_the_other() -> None:
    assert fusion.modality_weights(answers()) == pytest.approx([1, 0.5, 0.5])


def test_the_best_model_of_each_modality_is_taken_and_the_others_stand_in_where_it_is_missing() -> None:
    three = answers(strength=(1.5, 0.2, 2.0))
    assert fusion.best_models(three).tolist() == [1, 0, 1]
    posteriors = three.posteriors[:, :1].copy()
    posteriors[[0, 2]] = NAN
    calibrated = temper(posteriors, temperatures(three))[1]
    assert fusion.best_of_each(three, np.random.default_rng(0))(posteriors) == pytest.approx(calibrated, abs=1e-5)


def test_independent_models_are_taken_for_independent_and_copies_are_not() -> None:
    two = answers(n=1400, strength=(1.5, 1.5))
    ones = np.ones(2, np.float32)
    assert fusion.calibrated_evidence(two, temperatures(two), ones) == 1.0
    copies = Answers(two.models, two.modality, np.stack([two.posteriors[0]] * 2), two.truth, two.group)
    assert fusion.calibrated_evidence(copies, temperatures(copies), ones) == 0.0


def test_temperatures_undo_what_made_a_model_too_sure() -> None:
    two = answers(n=2000, strength=(1.5, 1.5))
    sharp = two.posteriors[0] ** 3
    two.posteriors[0] = sharp / sharp.sum(axis=1, keepdims=True)
    two.posteriors[1, :100] = NAN
    found = temperatures(two)
    assert found[0] / found[1] == pytest.approx(3, rel=0.15)


def test_a_stack_answers_each_combination_of_sources_by_a_classifier_of_its_own() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(160) % 2
    one = (truth[:, None] * 4 + rng.normal(size=(160, 3))).astype(np.float32)
    two = rng.normal(size=(160, 2)).astype(np.float32)
    two[::3] = NAN
    for classifier in (rbf_svm(), mlp(), principal_components(2)):
        stack = Stack([one[:100], two[:100]], truth[:100], np.array([""] * 100), 2, classifier)
        found = stack.predict([one[100:], two[100:]])
        assert (found.argmax(axis=1) == truth[100:]).mean() > 0.9
        assert set(stack.fitted) == {(0,), (0, 1)}
        assert (stack.predict([one[100:], two[100:]]) == found).all()  # fitting the second left the first as it was
        assert stack.predict([one[:1] * NAN, two[1:2]]).shape == (1, 2)
        assert np.isnan(stack.predict([one[:1] * NAN, two[:1]])).all()


def test_a_combination_that_was_never_trained_on_is_refused() -> None:
    block = np.zeros((4, 2), np.float32)
    stack = Stack([block, block * NAN], np.array([0, 1, 0, 1]), np.array([""] * 4), 2, mlp())
    with pytest.raises(InputError, match=r"0 training clips have the sources \(0, 1\)"):
        stack.predict([block, block])


def test_frequent_classes_gain_by_the_square_root_of_their_frequency() -> None:
    found = fusion.square_root_prior(np.array([[0.5, 0.5], [0.9, 0.1]], np.float32), np.array([4, 100]))
    assert found == pytest.approx(np.array([[1 / 6, 5 / 6], [1.8 / 2.8, 1.0 / 2.8]]))
    assert fusion.square_root_prior(found, np.array([3, 3])) == pytest.approx(found)
    with pytest.raises(InputError, match="frequencies"):
        fusion.square_root_prior(found, np.array([1, -1]))


def test_a_rule_is_judged_on_groups_that_it_has_not_seen() -> None:
    seen: list[set[str]] = []

    def fit(given: Answers, rng: np.random.Generator) -> fusion.Combine:
        seen.append(set(given.group))
        return lambda posteriors: posteriors[0]

    held_out = answers()
    found = fusion.out_of_group(fusion.Rule("watch", fit), held_out, 0)
    assert (found == held_out.posteriors[0]).all()
    assert sorted(map(sorted, seen)) == [["0", "1", "2"], ["0", "1", "3"], ["0", "2", "3"], ["1", "2", "3"]]
    alone = Answers(held_out.models, held_out.modality, held_out.posteriors, held_out.truth, np.array([""] * 140))
    with pytest.raises(InputError, match="1 group among 140 clips; to leave one out"):
        fusion.out_of_group(fusion.Rule("watch", fit), alone, 0)


def test_comparing_again_gives_the_same_numbers() -> None:
    chosen = (fusion.Rule("search", fusion.searched(Search(300, 1, 100))), fusion.Rule("mean", fusion.mean))
    one, two = (fusion.compare(answers(), answers(seed=1), chosen, seed=3) for _ in range(2))
    assert [(o.name, o.held_out, o.test) for o in one] == [(o.name, o.held_out, o.test) for o in two]


def test_a_clip_without_an_answer_counts_as_wrong() -> None:
    values = np.array([[0.9, 0.1], [NAN, NAN], [0.2, 0.8], [0.6, 0.4]], np.float32)
    found = judge(values, np.array([0, 0, 1, 1]))
    assert (found.accuracy, found.uar, found.answered) == (0.5, 0.5, 0.75)
    assert judge(values, np.array([0, 0, 0, 1])).uar == pytest.approx((1 / 3 + 0) / 2)


def test_answers_whose_shapes_do_not_agree_are_refused() -> None:
    good = answers()
    with pytest.raises(InputError, match=r"2 models, 3 modalities, posteriors \(3, 140, 7\)"):
        Answers(good.models[:2], good.modality, good.posteriors, good.truth, good.group)
