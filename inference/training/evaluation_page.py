"""One self-contained HTML page of an evaluation: tables with intervals, and figures."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

INK, ACCENT, FAINT = "#1d2a33", "#0b6e8a", "#c3ccd2"
UNITS = {"minimal_luminal_area": "mm²", "diameter_stenosis": "points"}
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2a33; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .3rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr { border-bottom: 1px solid #dde3e7; }
.figures { display: flex; flex-wrap: wrap; } .note { color: #56646d; }
"""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def _interval(interval: Any, digits: int = 3) -> str:
    return "" if interval is None else f" ({_number(interval[0], digits)} to {_number(interval[1], digits)})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"

    body = "".join(line(r, "td") for r in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"


def _figure(figure: go.Figure, title: str, x: str, y: str) -> str:
    figure.update_layout(
        title=title, xaxis_title=x, yaxis_title=y, width=540, height=420, template="plotly_white",
        font={"color": INK}, showlegend=False, margin={"l": 60, "r": 20, "t": 50, "b": 50},
    )  # fmt: skip
    return str(figure.to_html(full_html=False, include_plotlyjs=False))


def _scatter(found: dict[str, Any], metric: str) -> str:
    kept = [x for x in found["lesions"] if None not in x[metric]]
    true, value = [x[metric][0] for x in kept], [x[metric][1] for x in kept]
    top = max([1.0, *true, *value])
    figure = go.Figure(
        [
            go.Scatter(x=[0, top], y=[0, top], mode="lines", line={"color": FAINT}, hoverinfo="skip"),
            go.Scatter(
                x=true,
                y=value,
                mode="markers",
                marker={"color": ACCENT, "opacity": 0.75},
                text=[f"patient {x['patient']}, {x['vessel']} lesion {x['lesion']}" for x in kept],
                hovertemplate="%{text}<br>truth %{x:.1f}, found %{y:.1f}<extra></extra>",
            ),
        ]
    )
    return _figure(figure, _words(metric), "truth", "found")


def _reliability(name: str, bins: dict[str, Any]) -> str:
    kept = [n for n, count in enumerate(bins["count"]) if count]
    figure = go.Figure(
        [
            go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": FAINT}, hoverinfo="skip"),
            go.Scatter(
                x=[bins["predicted"][n] for n in kept],
                y=[bins["true"][n] for n in kept],
                mode="lines+markers",
                marker={"color": ACCENT},
                customdata=[bins["count"][n] for n in kept],
                hovertemplate="predicted %{x:.3f}, true %{y:.3f}, n = %{customdata}<extra></extra>",
            ),
        ]
    )
    what = "share of wrong labels per section" if name == "section" else f"probability of {name}"
    return _figure(figure, f"{what}: calibration error {bins['ece']:.3f}", "predicted", "true")


def _alone(found: dict[str, Any]) -> str:
    """What was found with nobody's marks."""
    volume = found["patient_total_plaque_volume"]
    head = [
        "with its own extents",
        "lesions found",
        "of those drawn, true",
        "extra lesions a patient",
        "patients' total plaque volume, mm³: bias",
        "ICC(A,1)",
    ]
    shares = [found[k] for k in ("sensitivity", "positive_predictive_value")]
    cells = [
        "all patients",
        *(_number(s["value"]) + _interval(s["interval"]) for s in shares),
        _number(found["extra_lesions_a_patient"], 1),
        _number(volume["bias"], 1) + _interval(volume["bias_interval"], 1),
        _number(volume["icc_a1"]) + _interval(volume["icc_a1_interval"]),
    ]
    return _table(head, [cells])


def page(found: dict[str, Any]) -> str:
    """The page of one result of ``evaluate``."""
    scores = _table(
        ["Dice", "pooled (95 % interval by patient)"],
        [
            [_words(n), _number(s["dice"]) + _interval(s["interval"])]
            for n, s in found["dice_by_patient"].items()
        ],
    )
    measures = _table(
        ["per lesion", "n", "mean truth", "bias", "mean absolute error", "ICC(A,1)"],
        [
            [
                f"{_words(name)}, {UNITS.get(name, 'mm³')}",
                str(m["n"]),
                _number(m["truth_mean"], 1),
                _number(m["bias"], 2) + _interval(m["bias_interval"], 2),
                _number(m["mae"], 2) + _interval(m["mae_interval"], 2),
                _number(m["icc_a1"]) + _interval(m["icc_a1_interval"]),
            ]
            for name, m in found["lesion_measures"].items()
            if m["n"]
        ],
    )
    strata = _table(
        ["lesions", "n", "Dice wall", "lumen", "plaque", "total plaque volume ICC", "stenosis error, points"],
        [
            [
                name,
                str(s["n"]),
                *(_number(s["dice"][k]) for k in ("wall", "lumen", "plaque")),
                _number(s["total_plaque_volume"].get("icc_a1"))
                + _interval(s["total_plaque_volume"].get("icc_a1_interval")),
                _number(s["diameter_stenosis"].get("mae"), 1),
            ]
            for name, s in found["strata"].items()
        ],
    )
    alone = _alone(found["found_alone"])
    figures = "".join(_scatter(found, m) for m in found["lesion_measures"]) + "".join(
        _reliability(name, bins) for name, bins in found["calibration"].items()
    )
    plotly = go.Figure().to_html(full_html=False, include_plotlyjs=True)
    script = plotly[plotly.index("<script") : plotly.index("</script>", plotly.index("plotly.js v")) + 9]
    title = f"{found['network']} on scenario {found['scenario']}"
    about = (
        f"{found['patients']} simulated patients from seed {found['first_seed']}, {found['sections']} sections, centrelines "
        f"{found['displacement_mm']} mm off, lesion extents given, profile {found['profile']}; "
        f"{found['parameters']:,} parameters, weights {found['weights_sha256'][:12]}; "
        f"{found['lesions_left_out_for_stents']} lesions that reach into a stent left out; "
        f"{found['core_seconds_per_100_sections']:.2f} core-seconds per 100 sections, "
        f"peak memory {found['peak_memory_mib']:.0f} MiB."
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>{script}"
        f"<h1>{escape(title)}</h1><p>{escape(about)}</p><p class=note>Simulated scans; research use only. Intervals: "
        f"patients drawn with replacement 2,000 times.</p>{scores}{measures}{alone}{strata}<div class=figures>{figures}</div></html>"
    )
