"""Tables in, statistics and figures out: agreement, accuracy and survival for a core lab.

Nothing here knows a database or the web. Every estimator returns a frozen result (see ``analytics.result``)
that carries its estimate, interval, method, numbers of units and clusters, what was dropped and why.
"""

__version__ = "0.2.0"
