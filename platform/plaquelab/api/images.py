"""Pixels for the viewer: immutable, addressed by their hash, kept by the browser for as long as it likes.

The address holds the hash and not only the case's number, because one browser may serve two persons whose
case 3 is not the same.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from inference.section_grid import SPACING_ACROSS, SPACING_ALONG
from plaquelab.analysis.models import Vessel
from plaquelab.api.access import PersonRequest, PersonView
from plaquelab.api.opened import Opened, note_image_access, open_case, open_exam
from plaquelab.api.payloads import SHORT_HASH
from plaquelab.imaging.selectors import ct_slabs
from plaquelab.imaging.slabs import stored_bytes
from plaquelab.reading import measuring

YEAR = 31_536_000
_BYTES = OpenApiResponse(OpenApiTypes.BINARY)
_DIGEST = OpenApiParameter(
    "digest", str, OpenApiParameter.PATH, description="beginning of the content's SHA-256"
)


class AnyAccept(BaseContentNegotiation):
    """Bytes are bytes, whatever the request's Accept header says."""

    # The parameters are the framework's.
    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ARG002
        """Return the first parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:  # noqa: ARG002
        """Return the first renderer, for errors."""
        return renderers[0], renderers[0].media_type


class ImageView(PersonView):
    """Base: opens the case and answers with immutable bytes."""

    content_negotiation_class = AnyAccept

    def opened(self, request: PersonRequest, **names: Any) -> Opened:
        """Open the case or exam and note the access once a session."""
        if "n" in names:
            found = open_case(request, names["study"], names["n"])
        else:
            found = open_exam(request, names["study"], names["number"])
        note_image_access(request, found)
        return found

    def vessel(self, request: PersonRequest, names: dict[str, Any]) -> Vessel:
        """Return the vessel whose hash the address names."""
        vessel = self.opened(request, **names).vessel(names["vessel"])
        if vessel.sha256[:SHORT_HASH] != names["digest"]:
            raise Http404("No such image.")
        return vessel


def immutable(request: Request, data: bytes, *, tag: str, kind: str, encoding: str = "") -> HttpResponse:
    """Answer with bytes that never change, or with 304 when the browser has them."""
    etag = f'"{tag}"'
    if etag in request.headers.get("If-None-Match", ""):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(data, content_type=kind)
        if encoding:
            response["Content-Encoding"] = encoding
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={YEAR}, immutable"
    patch_vary_headers(response, ["Cookie", "Accept-Encoding"])
    return response


class HuView(ImageView):
    """A straightened vessel's HU."""

    @extend_schema(responses={(200, "application/octet-stream"): _BYTES}, parameters=[_DIGEST])
    def get(self, request: PersonRequest, **names: Any) -> HttpResponse:
        """Return int16 little-endian HU, sections × 64 rows × 64 columns."""
        vessel = self.vessel(request, names)
        data = measuring.straightened(vessel).hu.astype("<i2").tobytes()
        return immutable(request, data, tag=f"hu-{vessel.sha256}", kind="application/octet-stream")


class FramesView(ImageView):
    """Where a straightened vessel lies in the patient."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT}, parameters=[_DIGEST])
    def get(self, request: PersonRequest, **names: Any) -> HttpResponse:
        """Return centre, axes and curvature of every section, LPS mm."""
        vessel = self.vessel(request, names)
        image = measuring.straightened(vessel)
        body = {
            "centre": _rounded(image.centre),
            "axis_u": _rounded(image.axis_u),
            "axis_v": _rounded(image.axis_v),
            "curvature": _rounded(image.curvature),
            "spacing_along": SPACING_ALONG,
            "spacing_across": SPACING_ACROSS,
            "segment": list(image.segment),
        }
        data = json.dumps(body, separators=(",", ":")).encode()
        return immutable(request, data, tag=f"frames-{vessel.sha256}", kind="application/json")


def _rounded(array: np.ndarray) -> list[list[float]]:
    return np.round(array, 6).tolist()


class SlabView(ImageView):
    """Up to 25 slices of the CT."""

    @extend_schema(responses={(200, "application/octet-stream"): _BYTES}, parameters=[_DIGEST])
    def get(self, request: PersonRequest, **names: Any) -> HttpResponse:
        """Return a slab: int16, differences along columns, zigzag, low bytes then high bytes; zstd or gzip."""
        opened = self.opened(request, **names)
        slabs = ct_slabs(opened.exam)
        index = names["index"]
        if index >= len(slabs) or slabs[index].sha256[:SHORT_HASH] != names["digest"]:
            raise Http404("No such slab.")
        data, encoding = stored_bytes(
            slabs[index].path, accept_encoding=request.headers.get("Accept-Encoding", "")
        )
        tag = f"slab-{slabs[index].sha256}-{encoding}"
        return immutable(request, data, tag=tag, kind="application/octet-stream", encoding=encoding)
