"""The published numbers of Lin et al. 2022 (Lancet Digit Health 4:e256), asked of this library line by line.

``lin2022_cases.json`` holds facts: what the paper prints, the integers behind it where they follow, and the verdict of
whoever reconstructed them. Nothing is tuned to match: a number that no standard method gives is called so.
"""

from analytics.paper.checking import Line, check_paper, printed

__all__ = ["Line", "check_paper", "printed"]
