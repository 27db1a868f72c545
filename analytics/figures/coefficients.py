"""Coefficients and tests of agreement as rows: each number with its interval."""

from __future__ import annotations

from analytics.agreement.categorical import ChanceCorrected, Symmetry
from analytics.agreement.components import ComponentIcc
from analytics.agreement.equivalence import Equivalence, Interchangeability
from analytics.agreement.lin import ConcordanceCorrelation
from analytics.agreement.multirater import MultiRater
from analytics.agreement.rank_sum import RankSum
from analytics.agreement.repeatability import Repeatability
from analytics.agreement.signed_rank import SignedRank
from analytics.agreement.total_deviation import TotalDeviation
from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing
from analytics.figures.estimates import EstimateRow, estimates
from analytics.figures.style import WARNING


@draw.register
def chance_corrected(result: ChanceCorrected) -> Drawing:
    """The coefficient with its intervals."""
    rows = [
        EstimateRow("Units independent", result.estimate, result.interval),
        EstimateRow(
            "Patients as clusters",
            result.estimate if result.cluster_interval else None,
            result.cluster_interval,
        ),
    ]
    return estimates(rows, result.method, reason=result.reason, simulated=result.simulated)


@draw.register
def symmetry(result: Symmetry) -> Drawing:
    """The share of disagreements upwards, against one half."""
    rows = [EstimateRow("Second read higher", result.estimate, result.interval)]
    title = "Share of the disagreements"
    return estimates(rows, title, reason=result.reason, reference=0.5, simulated=result.simulated)


@draw.register
def components(result: ComponentIcc) -> Drawing:
    """Each component's share of the total variance."""
    total = sum(result.components.values())
    rows = [EstimateRow(name.capitalize(), value / total, None) for name, value in result.components.items()]
    return estimates(rows, "Share of the variance", reason=result.reason, simulated=result.simulated)


@draw.register
def equivalence(result: Equivalence) -> Drawing:
    """The interval of the bias beside the margin."""
    rows = [EstimateRow("bias", result.estimate, result.interval)]
    title = result.value_unit
    drawn = estimates(rows, title, reason=result.reason, reference=0.0, simulated=result.simulated)
    for limit in (-result.margin, result.margin):
        drawn.upright(limit, colour=WARNING)
    return drawn


@draw.register
def interchangeability(result: Interchangeability) -> Drawing:
    """The index with its interval against 0."""
    rows = [EstimateRow("γ", result.estimate, result.interval)]
    title = "Individual equivalence index"
    return estimates(rows, title, reason=result.reason, reference=0.0, simulated=result.simulated)


@draw.register
def concordance_correlation(result: ConcordanceCorrelation) -> Drawing:
    """CCC and its two factors."""
    rows = [
        EstimateRow("Concordance correlation", result.estimate, result.cluster_interval or result.interval),
        EstimateRow("Pearson r", result.pearson, None),
        EstimateRow("Bias correction", result.bias_correction, None),
    ]
    return estimates(rows, "coefficient", reason=result.reason, simulated=result.simulated)


@draw.register
def several_raters(result: MultiRater) -> Drawing:
    """κ, AC1 and κ of every category."""
    rows = [
        EstimateRow("Fleiss' κ", result.estimate, result.interval),
        EstimateRow("Gwet's AC1", result.ac1, result.ac1_interval),
        *(EstimateRow(f"κ of {level}", value, None) for level, value in result.categories.items()),
    ]
    return estimates(rows, "Coefficient", reason=result.reason, simulated=result.simulated)


@draw.register(RankSum)
@draw.register(SignedRank)
def shift(result: RankSum | SignedRank) -> Drawing:
    """The shift with its interval against zero."""
    rows = [EstimateRow("Hodges–Lehmann shift", result.estimate, result.interval)]
    title = result.value_unit or "difference"
    return estimates(rows, title, reason=result.reason, reference=0.0, simulated=result.simulated)


@draw.register
def repeatability(result: Repeatability) -> Drawing:
    """SD and repeatability coefficient with their intervals."""
    rows = [
        EstimateRow("Within-subject SD", result.estimate, result.cluster_interval or result.interval),
        EstimateRow("Repeatability coefficient", result.coefficient, result.coefficient_interval),
    ]
    return estimates(rows, result.value_unit or "value", reason=result.reason, simulated=result.simulated)


@draw.register
def total_deviation(result: TotalDeviation) -> Drawing:
    """The three forms of the index."""
    rows = [
        EstimateRow("Normal theory", result.estimate, result.interval),
        EstimateRow("Lin's approximation", result.approximate, None),
        EstimateRow("Observed quantile", result.observed, None),
    ]
    return estimates(
        rows, result.value_unit or "difference", reason=result.reason, simulated=result.simulated
    )
