"""Figures in pages: plotly's JSON as inert text, which no markup can break out of."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@register.filter
def json_text(text: str) -> SafeString:
    """A JSON text in which ``<``, ``>`` and ``&`` are written as JSON's own escapes."""
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308  nothing that could begin a tag is left
