"""The conformance suite: what every component of the registry must keep to, for our tests and for those of extensions."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from emotrace import registry
from emotrace.measure import build, run_in_order
from emotrace.registry import Spec
from emotrace.tracks import Tracks
from emotrace.views import FaceSamples, S, VoiceSamples

TOLERANCE = 1e-4   # of a value; batched arithmetic may differ in the last digits


def measured(samples: S, names: list[str]) -> dict[str, NDArray[np.float32]]:
    """What the named components and all they need measure of the samples, by name."""
    lines = [line for line in registry.with_needs(names) if line.scheme is not None]
    return run_in_order(lines, {line.name: build(line.name, "cpu") for line in lines}, samples, {})


def check_extractor(name: str, samples: S) -> None:
    """Assert that a component keeps to the contract of extractors.

    It gives one float32 row a sample and one column a label; none for no samples; the same rows in a batch as one by one;
    values inside the scheme's bounds or NaN, none infinite; rows of an exclusive scheme sum to 1 or are NaN throughout; and it
    changes nothing it is given.

    Args:
        name: component of the registry with a scheme.
        samples: two faces or more, or two windows of sound or more, as the component's view is.

    Raises:
        AssertionError: it does not; the message says where.
    """
    line = registry.spec(name)
    assert line.scheme is not None, f"{name} has no scheme"
    got = type(samples).__name__
    assert isinstance(samples, FaceSamples) == (line.view == "face"), f"{name} measures a {line.view}, got {got}"
    assert len(samples) >= 2, "give two samples or more"
    given = samples.having(measured(samples, list(line.needs)))
    before = [array.copy() for array in _arrays(given)]
    extractor = build(name, "cpu")
    batch = extractor.extract(given)

    assert extractor.scheme == line.scheme, f"{name}: the class and the registry name different schemes"
    assert batch.shape == (len(given), len(line.scheme)), f"{name}: got shape {batch.shape}"
    assert batch.dtype == np.float32, f"{name}: got {batch.dtype}, expected float32"
    none = extractor.extract(given[:0])
    assert none.shape == (0, len(line.scheme)), f"{name}: no samples must give no rows"
    assert none.dtype == np.float32, f"{name}: got {none.dtype} for no samples, expected float32"
    single = np.concatenate([extractor.extract(given[i : i + 1]) for i in range(len(given))])
    np.testing.assert_allclose(batch, single, rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"{name}: batch and single rows differ")
    for was, now in zip(before, _arrays(given), strict=True):
        np.testing.assert_array_equal(was, now, err_msg=f"{name} writes to what it is given")
    _check_bounds(line, batch)


def _arrays(samples: FaceSamples | VoiceSamples) -> tuple[NDArray[np.generic], ...]:
    """What an extractor is given and must not change."""
    needed = tuple(samples.measured.values())
    if isinstance(samples, VoiceSamples):
        return (samples.sound, samples.start, *needed)
    return (samples.images, samples.image, *(getattr(samples.tracks, part.name) for part in fields(Tracks)), *needed)


def _check_bounds(line: Spec, values: NDArray[np.float32]) -> None:
    scheme = line.scheme
    assert scheme is not None
    infinite = np.isinf(values).any(axis=1)
    assert not infinite.any(), f"{line.name}: {values[infinite]} are not finite; what is not measured is NaN"
    for label, column in zip(scheme.labels, values.T, strict=True):
        if "not bounded" in scheme.describe(label):
            continue
        finite = column[np.isfinite(column)]
        inside = (finite >= scheme.low - TOLERANCE) & (finite <= scheme.high + TOLERANCE)
        assert inside.all(), f"{line.name}: {label} leaves {scheme.low}..{scheme.high}: {finite[~inside]}"
    if scheme.exclusive:
        sums = values[~np.isnan(values).all(axis=1)].sum(axis=1)
        assert np.allclose(sums, 1, atol=1e-3), f"{line.name}: rows sum to {sums}, expected 1"
