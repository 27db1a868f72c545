"""REML of subjects crossed with raters, both random, with missing reads: y = mean + subject + rater + error.

Subjects enter only through sums by their number of reads, so that the cost of a likelihood does not depend on how
many there are, and the sums of resampled patients give the fits of all resamples at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.minimise import golden_section

Array = NDArray[np.float64]
NEARLY_ONE = 1 - 1e-9
"""Largest share of the variance that is tried: at 1 the logarithm of the rest does not exist."""
SWEEPS, STEPS = 6, 45
"""Sweeps over both shares, and steps of golden section in each: 0.618⁴⁵ of the first bracket is 4e-10."""


@dataclass(frozen=True)
class CrossedFit:
    """Variance components (arrays, one entry per fit) and the restricted log-likelihood."""

    subject: Array
    rater: Array
    residual: Array
    log_likelihood: Array


def subject_sums(ratings: Array) -> Array:
    """Per subject, the parts of the likelihood: (subjects, parts); NaN is a missing read.

    Reads y are centred before. For each number of reads m = 1 … k: subjects, Σ total², k totals and k² products of
    the presence of reads; then k sums per rater and Σ y².
    """
    present = ~np.isnan(ratings)
    y = np.where(present, ratings - np.nanmean(ratings), 0.0)
    n, k = ratings.shape
    number, total = present.sum(1), y.sum(1)
    shown = present.astype(np.float64)
    blocks = []
    for m in range(1, k + 1):
        with_m = (number == m).astype(np.float64)[:, None]
        products = (shown[:, :, None] * shown[:, None, :]).reshape(n, k * k)
        blocks.append(with_m * np.column_stack([np.ones(n), total**2, shown * total[:, None], products]))
    return np.column_stack([*blocks, y, (y**2).sum(1)])


def fit_crossed(sums: Array, k: int) -> CrossedFit:
    """REML fits of summed parts (fits, parts); see :func:`subject_sums`."""
    model = _Likelihood(sums, k)
    size = len(sums)
    subject, rater = np.full(size, 0.5), np.full(size, 0.2)
    zero, one = np.zeros(size), np.full(size, NEARLY_ONE)
    for _ in range(SWEEPS):
        subject = golden_section(lambda s, r=rater: model.deviance(s, r)[0], zero, one, STEPS)  # type: ignore[misc]
        rater = golden_section(lambda r, s=subject: model.deviance(s, r)[0], zero, one, STEPS)  # type: ignore[misc]
    deviance, residual = model.deviance(subject, rater)
    return CrossedFit(
        subject / (1 - subject) * residual, rater / (1 - rater) * residual, residual, -deviance / 2
    )


class _Likelihood:
    """Restricted deviance over the shares s = θ/(1+θ) of subject and rater variance, θ relative to the error."""

    def __init__(self, sums: Array, k: int) -> None:
        width = 2 + k + k * k
        blocks = sums[:, : k * width].reshape(len(sums), k, width)
        self.k, self.reads = k, np.arange(1, k + 1, dtype=np.float64)
        self.subjects, self.squared_totals = blocks[:, :, 0], blocks[:, :, 1]
        self.totals = blocks[:, :, 2 : 2 + k]
        self.products = blocks[:, :, 2 + k :].reshape(len(sums), k, k, k)
        self.by_rater, self.squares = sums[:, k * width : k * width + k], sums[:, -1]
        self.observations = (self.subjects * self.reads).sum(1)
        self.identity = np.eye(k)
        self.counts = np.einsum("fmii->fi", self.products)

    def deviance(self, subject: Array, rater: Array) -> tuple[Array, Array]:
        """−2 log restricted likelihood and the error variance."""
        theta_s, theta_r = subject / (1 - subject), rater / (1 - rater)
        weight = theta_s[:, None] / (1 + theta_s[:, None] * self.reads)
        m = self.counts[:, :, None] * self.identity - np.einsum("fm,fmij->fij", weight, self.products)
        g = self.by_rater - np.einsum("fm,fmi->fi", weight, self.totals)
        q = self.squares - (weight * self.squared_totals).sum(1)
        mixed = self.identity + theta_r[:, None, None] * m
        ones = m.sum(2)
        solved = theta_r[:, None, None] * np.linalg.solve(mixed, np.stack([ones, g], axis=2))
        xx = ones.sum(1) - (ones * solved[:, :, 0]).sum(1)
        xy = g.sum(1) - (ones * solved[:, :, 1]).sum(1)
        yy = q - (g * solved[:, :, 1]).sum(1)
        df = self.observations - 1
        residual = np.maximum(yy - xy**2 / xx, 1e-300) / df
        log_v = (self.subjects * np.log1p(theta_s[:, None] * self.reads)).sum(1)
        log_v = log_v + np.linalg.slogdet(mixed)[1]
        return log_v + np.log(xx) + df * (1 + np.log(2 * np.pi * residual)), residual
