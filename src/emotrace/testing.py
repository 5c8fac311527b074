"""The conformance suite: what every component of the registry must keep to, for our tests and for those of extensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace import registry
from emotrace.measure import build
from emotrace.registry import Spec
from emotrace.views import FaceSamples

TOLERANCE = 1e-4   # of a value; batched arithmetic may differ in the last digits


def measured(samples: FaceSamples, names: list[str]) -> dict[str, NDArray[np.float32]]:
    """What the named components and all they need measure of the samples, by name."""
    values: dict[str, NDArray[np.float32]] = {}
    for line in registry.with_needs(names):
        if line.scheme is not None:
            needed = {need: values[need] for need in line.needs}
            values[line.name] = build(line.name, "cpu").extract(samples.having(needed))
    return values


def check_extractor(name: str, samples: FaceSamples) -> None:
    """Assert that a component keeps to the contract of extractors.

    It gives one float32 row a sample and one column a label; none for no samples; the same rows in a batch as one by one;
    values inside the scheme's bounds or NaN; rows of an exclusive scheme sum to 1; and it changes nothing it is given.

    Args:
        name: component of the registry with a scheme.
        samples: two faces or more.

    Raises:
        AssertionError: it does not; the message says where.
    """
    line = registry.spec(name)
    assert line.scheme is not None, f"{name} has no scheme"
    assert len(samples) >= 2, "give two faces or more"
    given = samples.having(measured(samples, list(line.needs)))
    before = given.images.copy(), given.tracks.mesh.copy()
    extractor = build(name, "cpu")
    batch = extractor.extract(given)

    assert extractor.scheme == line.scheme, f"{name}: the class and the registry name different schemes"
    assert batch.shape == (len(given), len(line.scheme)), f"{name}: got shape {batch.shape}"
    assert batch.dtype == np.float32, f"{name}: got {batch.dtype}, expected float32"
    assert extractor.extract(given[:0]).shape == (0, len(line.scheme)), f"{name}: no samples must give no rows"
    single = np.concatenate([extractor.extract(given[i : i + 1]) for i in range(len(given))])
    np.testing.assert_allclose(batch, single, rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"{name}: batch and single rows differ")
    np.testing.assert_array_equal(before[0], given.images, err_msg=f"{name} writes to its pictures")
    np.testing.assert_array_equal(before[1], given.tracks.mesh, err_msg=f"{name} writes to its meshes")
    _check_bounds(line, batch)


def _check_bounds(line: Spec, values: NDArray[np.float32]) -> None:
    scheme = line.scheme
    assert scheme is not None
    for label, column in zip(scheme.labels, values.T, strict=True):
        if "not bounded" in scheme.describe(label):
            continue
        finite = column[np.isfinite(column)]
        inside = (finite >= scheme.low - TOLERANCE) & (finite <= scheme.high + TOLERANCE)
        assert inside.all(), f"{line.name}: {label} leaves {scheme.low}..{scheme.high}: {finite[~inside]}"
    if scheme.exclusive:
        sums = values.sum(axis=1)
        assert np.allclose(sums[np.isfinite(sums)], 1, atol=1e-3), f"{line.name}: rows sum to {sums}, expected 1"
