"""How two or more reads of the same thing agree."""

from analytics.agreement.bland_altman import BlandAltman, bland_altman
from analytics.agreement.correlation import Correlation, spearman
from analytics.agreement.icc import Icc, icc
from analytics.agreement.kappa import Kappa, kappa

__all__ = ["BlandAltman", "Correlation", "Icc", "Kappa", "bland_altman", "icc", "kappa", "spearman"]
