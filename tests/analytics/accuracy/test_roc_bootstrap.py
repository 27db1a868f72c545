"""Bootstrap of the AUC: weights equal repeated rows, DeLong beside, clusters, refusals (simulated data)."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.accuracy.roc import paired_difference, roc_of
from analytics.accuracy.roc_bootstrap import _weighted_auc, bootstrapped_auc_of
from analytics.errors import AnalyticsError
from analytics.ranks import ties


def sample(seed=1, n=300):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(float)
    x = np.round(rng.normal(size=n) + y, 1)
    return x, np.round(x + rng.normal(0, 1, n), 1), y


def test_weights_equal_repeated_rows():
    x, _, y = sample()
    weights = np.random.default_rng(2).integers(0, 4, len(x)).astype(float)
    tied = ties(x)
    order = np.argsort(tied.place, kind="stable")
    edges = np.concatenate([[0], np.cumsum(tied.counts)])
    found = _weighted_auc(weights[None, order], (y == 1)[order], edges, tied.place[order])[0]
    repeated = np.repeat(np.arange(len(x)), weights.astype(int))
    assert found == pytest.approx(roc_of(x[repeated], y[repeated]).estimate, abs=1e-12)


def test_interval_is_that_of_delong_for_independent_patients():
    x, z, y = sample(n=800)
    one = bootstrapped_auc_of(x, y, replicates=4000)
    delong = roc_of(x, y)
    assert one.estimate == pytest.approx(delong.estimate)
    assert tuple(one.interval) == pytest.approx(tuple(delong.interval), abs=0.01)
    assert one.interval.method == "bootstrap, expanded percentile, 4,000 replicates"
    both = bootstrapped_auc_of(x, y, second=z, replicates=4000)
    expected = paired_difference(x, z, y)
    assert both.estimate == pytest.approx(expected.estimate)
    assert tuple(both.interval) == pytest.approx(tuple(expected.interval), abs=0.01)


def test_clusters_widen_the_interval():
    x, _, y = sample()
    patient = np.repeat(np.arange(300), 3)
    tripled = bootstrapped_auc_of(np.repeat(x, 3), np.repeat(y, 3), clusters=patient, replicates=2000)
    naive = bootstrapped_auc_of(np.repeat(x, 3), np.repeat(y, 3), replicates=2000)
    assert np.ptp(tuple(tripled.interval)) > 1.5 * np.ptp(tuple(naive.interval))
    assert tripled.clusters == 300


def test_refusals_and_drops():
    x, _, y = sample()
    assert "0 with and" in bootstrapped_auc_of(x, y * 0).reason
    assert bootstrapped_auc_of(np.append(x, np.nan), np.append(y, 1), replicates=50).dropped_count == 1
    with pytest.raises(AnalyticsError, match="0 or 1"):
        bootstrapped_auc_of(x, y + 1)
    with pytest.raises(AnalyticsError, match="differ in length"):
        bootstrapped_auc_of(x[1:], y)
