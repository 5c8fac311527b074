"""Principal components found block by block are those found at once."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.learn import online_pca

Rows = NDArray[np.float32]


def rows(n: int = 500) -> Rows:
    rng = np.random.default_rng(0)
    return np.asarray(rng.normal(size=(n, 3)) * (9, 3, 1) @ rng.normal(size=(3, 8)) + rng.normal(size=(n, 8)) + 50, np.float32)


def in_blocks(table: Rows, size: int) -> online_pca.Blocks:
    def blocks() -> Iterator[Rows]:
        return (table[i : i + size] for i in range(0, len(table), size))

    return blocks


@pytest.mark.parametrize("size", [7, 130, 500])
def test_all_components_in_blocks_are_those_of_the_covariance(size: int) -> None:
    table = rows()
    found = online_pca.fit(in_blocks(table, size), 8, batch=60)
    standard = np.clip((table - table.mean(axis=0)) / table.std(axis=0), -online_pca.BOUND, online_pca.BOUND)
    variance, vectors = np.linalg.eigh(np.cov(standard.T))
    np.testing.assert_allclose(found.variance, variance[::-1], rtol=1e-3)
    np.testing.assert_allclose(np.abs((found.components @ vectors[:, ::-1]).diagonal()), 1, atol=1e-3)


def test_whitened_rows_have_unit_variance_and_others_keep_their_share() -> None:
    table = rows()
    found = online_pca.fit(in_blocks(table, 50), 5, batch=100)
    np.testing.assert_allclose(found.apply(table, whiten=True).var(axis=0), 1, atol=0.03)
    shares = found.apply(table).var(axis=0)
    np.testing.assert_allclose(shares.mean(), 1, atol=0.03)
    np.testing.assert_allclose(shares / shares[0], found.variance / found.variance[0], rtol=0.03)


@pytest.mark.parametrize(("n", "asked", "kept"), [(500, 909, 8), (5, 909, 5), (500, 2, 2), (2, 4, 2)])
def test_no_more_components_than_rows_or_features(n: int, asked: int, kept: int) -> None:
    found = online_pca.fit(in_blocks(rows(n), 3), asked, batch=4)
    assert found.apply(rows(n)).shape == (n, kept)
    assert np.isfinite(found.apply(rows(n), whiten=True)).all()


def test_features_without_value_count_as_the_mean_and_wild_ones_are_bounded() -> None:
    table = rows()
    table[::3, 2], table[:, 4] = np.nan, np.nan
    found = online_pca.fit(in_blocks(table, 40), 8, batch=60)
    assert found.mean[2] == pytest.approx(np.nanmean(table[:, 2]), rel=1e-5)
    filled, wild = table[:1].copy(), table[:1].copy()
    filled[:, [2, 4]] = found.mean[[2, 4]]
    np.testing.assert_allclose(found.apply(table[:1]), found.apply(filled), atol=1e-4)
    wild[:, 0] = 1e30
    filled[:, 0] = found.mean[0] + online_pca.BOUND * found.deviation[0]
    np.testing.assert_allclose(found.apply(wild), found.apply(filled), atol=1e-3)


def test_blocks_are_gathered_without_loss_none_smaller_than_asked() -> None:
    table = np.arange(101, dtype=np.float32)[:, None]
    for size in (1, 13, 101):
        gathered = list(online_pca.gathered(in_blocks(table, size)(), 10))
        assert np.concatenate(gathered).tolist() == table.tolist()
        assert all(10 <= len(block) < 21 for block in gathered)


def test_a_feature_that_is_always_the_same_stays_0() -> None:
    table = rows()
    table[:, 3] = 12345.678
    found = online_pca.fit(in_blocks(table, 40), 8, batch=60)
    assert found.deviation[3] == 1
    assert abs(found.components[:7, 3]).max() < 1e-3


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_rows_are_an_error_of_one_line(n: int) -> None:
    with pytest.raises(InputError, match=f"{n} rows"):
        online_pca.fit(in_blocks(rows()[:n], 3), 4)
