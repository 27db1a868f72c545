"""A page of one analysis to look at: curved and straightened views, cross-sections of each lesion, tree, table."""

from inference.report.page import report_page

__all__ = ["report_page"]
