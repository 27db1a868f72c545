"""Proportions, areas under the curve and their differences as rows: each number with its interval."""

from __future__ import annotations

from analytics.accuracy.clustered import ClusteredAccuracy, ClusteredProportion
from analytics.accuracy.clustered_roc import ClusteredRoc
from analytics.accuracy.mrmc import Mrmc
from analytics.accuracy.paired import PairedAccuracy, PairedProportions
from analytics.accuracy.roc import AucDifference
from analytics.accuracy.roc_bootstrap import BootstrappedAuc
from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing
from analytics.figures.estimates import EstimateRow, estimates
from analytics.survival.concordance import Concordance, ConcordanceDifference


@draw.register
def clustered_proportion(result: ClusteredProportion) -> Drawing:
    """The proportion with its intervals."""
    rows = [
        EstimateRow("Patients as clusters", result.estimate, result.interval),
        EstimateRow("Units independent", result.estimate, result.exact_interval),
    ]
    return estimates(rows, result.method, reason=result.reason, simulated=result.simulated)


@draw.register
def clustered_accuracy(result: ClusteredAccuracy) -> Drawing:
    """The three proportions with their cluster intervals."""
    rows = [EstimateRow(m.method, m.estimate, m.interval or m.exact_interval) for m in result.measures()]
    return estimates(rows, "Proportion", simulated=result.simulated)


@draw.register
def paired_proportions(result: PairedProportions) -> Drawing:
    """The difference with its interval against zero."""
    rows = [EstimateRow(result.method, result.estimate, result.interval)]
    return estimates(rows, "Difference", reason=result.reason, reference=0.0, simulated=result.simulated)


@draw.register
def paired_accuracy(result: PairedAccuracy) -> Drawing:
    """The four differences with their intervals."""
    rows = [EstimateRow(m.method, m.estimate, m.interval) for m in result.measures()]
    return estimates(rows, "Difference", reference=0.0, simulated=result.simulated)


@draw.register
def clustered_roc(result: ClusteredRoc) -> Drawing:
    """The AUC with both intervals against one half."""
    rows = [
        EstimateRow("Patients as clusters", result.estimate, result.interval),
        EstimateRow("Units independent", result.estimate, result.naive_interval),
    ]
    return estimates(rows, "AUC", reason=result.reason, reference=0.5, simulated=result.simulated)


@draw.register
def auc_difference(result: AucDifference) -> Drawing:
    """The difference with its interval against zero."""
    rows = [EstimateRow("Difference of AUC", result.estimate, result.interval)]
    title = "Difference of AUC"
    return estimates(rows, title, reason=result.reason, reference=0.0, simulated=result.simulated)


@draw.register
def bootstrapped_auc(result: BootstrappedAuc) -> Drawing:
    """The AUC, or the difference of two, with its interval."""
    rows = [EstimateRow(result.method, result.estimate, result.interval)]
    return estimates(rows, "AUC", reason=result.reason, simulated=result.simulated)


@draw.register
def mrmc(result: Mrmc) -> Drawing:
    """Each modality's mean with its interval."""
    rows = [EstimateRow(m.modality, m.estimate, m.interval) for m in result.modalities]
    return estimates(rows, result.merit, reason=result.reason, simulated=result.simulated)


@draw.register
def concordance(result: Concordance) -> Drawing:
    """C with its interval; 0.5 is chance."""
    rows = [EstimateRow("C", result.estimate, result.interval)]
    return estimates(rows, result.method, reason=result.reason, reference=0.5, simulated=result.simulated)


@draw.register
def concordance_difference(result: ConcordanceDifference) -> Drawing:
    """The difference with its interval against zero."""
    rows = [EstimateRow(f"{result.names[1]} minus {result.names[0]}", result.estimate, result.interval)]
    title = "Difference of C"
    return estimates(rows, title, reason=result.reason, reference=0.0, simulated=result.simulated)
