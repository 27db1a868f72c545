"""The report of a freeze: the paper's table, figures and supplement, methods, checklists, every number, provenance.

``python -m analytics report FREEZE --out DIR`` writes ``report.html`` (one self-contained file), ``numbers.json`` and,
where a Chromium is found, ``report.pdf``. The same freeze and seed give the same bytes of ``numbers.json``.
"""

from analytics.report.contents import Report, make_report
from analytics.report.writing import Written, write_report

__all__ = ["Report", "Written", "make_report", "write_report"]
