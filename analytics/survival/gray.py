"""Gray's (1988) test that the cumulative incidence of one cause is equal in several groups.

Group k's risk set for the subdistribution is n_k (1 − F_k(t−)) / S_k(t−). Writing the score as a sum of martingales of
both kinds of event gives the variance: an event of the cause in group k at u enters with a_ik(u) +
[c_ik(∞) − c_ik(u)] [1 − (1 − F(u))/S_k(u)], a competing one with −[c_ik(∞) − c_ik(u)] (1 − F(u))/S_k(u), each times
S_k(u−)/n_k; F is the pooled incidence, a_ik = r_i (1{i=k} − r_k/r) with r_k = n_k/S_k(t−), and c_ik = ∫ a_ik dF/(1 − F).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gray_test(
    time: Array, event: Array, groups: NDArray[np.int64], number: int, *, cause: int = 1
) -> float | None:
    """χ² with number − 1 degrees of freedom for groups coded from 0; None where its variance is singular."""
    times = np.unique(time[event > 0])
    if not len(times) or not np.any(event == cause):
        return None
    shape = (number, len(times))
    at_risk, mine, other = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for g in range(number):
        t, e = time[groups == g], event[groups == g]
        at_risk[g] = len(t) - np.searchsorted(np.sort(t), times, "left")
        mine[g] = np.bincount(np.searchsorted(times, t[e == cause]), minlength=len(times))
        other[g] = np.bincount(np.searchsorted(times, t[(e > 0) & (e != cause)]), minlength=len(times))
    present = at_risk > 0
    after = np.cumprod(1 - _ratio(mine + other, at_risk), axis=1, dtype=np.float64)
    before = _shifted(after, 1.0)
    own = np.cumsum(before * _ratio(mine, at_risk), axis=1)
    reach = np.where(present, _ratio(at_risk, before), 0.0)
    events = mine.sum(0)
    risk = reach * (1 - _shifted(own, 0.0))
    score = (mine - events * _ratio(risk, risk.sum(0))).sum(1)
    step = _ratio(events, reach.sum(0))
    pooled = np.cumsum(step)
    covariance = _covariance(reach, before, after, at_risk, present, events, step, pooled, other)[
        : number - 1, : number - 1
    ]
    if np.linalg.matrix_rank(covariance) < number - 1:
        return None
    return float(score[:-1] @ np.linalg.solve(covariance, score[:-1]))


def _covariance(
    reach: Array,
    before: Array,
    after: Array,
    at_risk: Array,
    present: NDArray[np.bool_],
    events: Array,
    step: Array,
    pooled: Array,
    other: Array,
) -> Array:
    number = len(reach)
    total = reach.sum(0)
    a = reach[:, None, :] * (np.eye(number)[:, :, None] - _ratio(reach, total)[None, :, :])
    c = np.cumsum(a * _ratio(step, 1 - _shifted(pooled[None], 0.0)[0]), axis=2)
    later = c[:, :, -1:] - c
    pull = np.where(after > 0, _ratio(1 - pooled[None], after), 0.0)
    of_cause = a + later * (1 - pull)
    of_other = later * pull
    expected = total * before - 1
    ties = np.where(events > 1, 1 - _ratio(np.maximum(events - 1, 0)[None], expected), 1.0)
    weight = np.where(present, ties * before * step * _ratio(np.ones_like(at_risk), at_risk), 0.0)
    other_ties = 1 - _ratio(np.maximum(other - 1, 0), at_risk - 1)
    other_weight = np.where(after > 0, other_ties * before**2 * _ratio(other, at_risk**2), 0.0)
    result: Array = np.einsum("ikt,jkt,kt->ij", of_cause, of_cause, weight)
    result += np.einsum("ikt,jkt,kt->ij", of_other, of_other, other_weight)
    return result


def _ratio(above: Array, below: Array) -> Array:
    """Quotient, 0 where the denominator is not positive."""
    above, below = np.broadcast_arrays(above, below)
    result: Array = np.divide(above, below, out=np.zeros(above.shape), where=below > 1e-14)
    return result


def _shifted(values: Array, start: float) -> Array:
    """Left limits along the last axis."""
    result: Array = np.concatenate([np.full((len(values), 1), start), values[:, :-1]], axis=1)
    return result
