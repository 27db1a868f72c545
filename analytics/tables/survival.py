"""How survival reads its columns: follow-up, its event, and markers or covariates beside them."""

from __future__ import annotations

from analytics.columns import keys
from analytics.survival.calibration import calibration_of
from analytics.survival.competing import competing_incidence_of
from analytics.survival.competing_models import cause_specific_of, fine_gray_of
from analytics.survival.concordance import concordance_of
from analytics.survival.cox import cox_of
from analytics.survival.firth import firth_of
from analytics.survival.kaplan_meier import cumulative_incidence_of
from analytics.survival.restricted_mean import restricted_means_of
from analytics.survival.spline import spline_of
from analytics.survival.time_roc import time_auc_of
from analytics.tables.adapter import CLUSTER, READINGS, Column, Columns, entries, numbers_by_name

FOLLOW_UP = {"time": Column("time"), "event": Column("event")}
COVARIATES = {"covariates": Column("covariates", numbers_by_name)}
ENTRY = {"entry": Column("entry", required=False)}
STRATA = {"strata": Column("strata", keys, required=False)}
GROUP = {"group": Column("groups", entries, required=False)}
MARKER = {"marker": Column("values")}

READINGS[calibration_of] = Columns({"probability": Column("probability"), "outcome": Column("outcome")})
READINGS[cumulative_incidence_of] = Columns(FOLLOW_UP | GROUP, {"outcome": "event"})
READINGS[competing_incidence_of] = Columns(FOLLOW_UP | GROUP)
READINGS[restricted_means_of] = Columns(FOLLOW_UP | GROUP)
READINGS[cox_of] = Columns(FOLLOW_UP | COVARIATES | ENTRY | STRATA | {"cluster": CLUSTER})
READINGS[firth_of] = Columns(FOLLOW_UP | COVARIATES | ENTRY | STRATA)
READINGS[cause_specific_of] = Columns(FOLLOW_UP | COVARIATES)
READINGS[fine_gray_of] = Columns(FOLLOW_UP | COVARIATES)
READINGS[concordance_of] = Columns(FOLLOW_UP | {"risk": Column("risk")})
READINGS[time_auc_of] = Columns(FOLLOW_UP | MARKER, {"marker": "marker"})
READINGS[spline_of] = Columns(
    FOLLOW_UP | MARKER | {"covariates": Column("covariates", numbers_by_name, required=False)},
    {"marker": "marker"},
)
