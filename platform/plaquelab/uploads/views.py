"""The upload page and the transport beneath it: announce, send file by file, complete, ask how far it is."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from plaquelab.refusals import as_json, refusals
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability
from plaquelab.uploads import services
from plaquelab.uploads.errors import UploadError
from plaquelab.uploads.models import UploadSession
from plaquelab.uploads.selectors import known_subjects, own_sessions, upload_sites
from plaquelab.uploads.staging import chunks_of


def _session(request: StudyRequest, study: str, session: UUID) -> UploadSession:
    found = get_study(request, study, Capability.UPLOAD)
    return get_object_or_404(own_sessions(request.user, found), pk=session)


@signed_in
@require_GET
def upload_page(request: StudyRequest, study: str) -> HttpResponse:
    """Choose study, site and subject, drop files, watch the import."""
    found = get_study(request, study, Capability.UPLOAD)
    context = {
        "study": found,
        "sites": upload_sites(request.user, found),
        "subjects": known_subjects(request.user, found),
        "cohorts": found.cohorts.order_by("name"),
        "own": own_sessions(request.user, found).select_related("import_job")[:10],
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "max_files": settings.UPLOAD_MAX_FILES,
    }
    return render(request, "uploads/upload.html", context)


def _announced(body: bytes) -> tuple[dict[str, Any], list[services.FileSpec]]:
    """Read the announcement: {site, subject, cohort, files: [{index, size}]}."""
    try:
        data = json.loads(body)
        files = [
            services.FileSpec(index=int(file["index"]), size=int(file["size"])) for file in data["files"]
        ]
        wanted = {name: str(data.get(name) or "").strip() for name in ("site", "subject", "cohort")}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UploadError("bad-request", "The announcement is not what the upload page sends.") from error
    return wanted, files


def _only(found: Any, code: str, message: str) -> Any:
    if found is None:
        raise UploadError(code, message)
    return found


@signed_in
@require_POST
@refusals(as_json)
def open_session(request: StudyRequest, study: str) -> HttpResponse:
    """Announce an upload; answers with the addresses that the files go to."""
    found = get_study(request, study, Capability.UPLOAD)
    wanted, files = _announced(request.body)
    site = upload_sites(request.user, found).filter(code=wanted["site"]).first()
    site = _only(site, "unknown-site", "Choose one of your sites.")
    cohort = None
    if wanted["cohort"]:
        cohort = found.cohorts.filter(name=wanted["cohort"]).first()
        cohort = _only(cohort, "unknown-cohort", "This study has no such cohort.")
    session = services.open_session(
        study=found,
        site=site,
        pseudonym=wanted["subject"],
        cohort=cohort,
        files=files,
        by=request.user,
    )
    return JsonResponse({"id": str(session.pk), "urls": _urls(found, session)}, status=201)


def _urls(study: Study, session: UploadSession) -> dict[str, str]:
    names = {
        name: reverse(f"uploads:{name}", args=[study.slug, session.pk])
        for name in ("complete", "abort", "status")
    }
    # The page puts the file's number in the place of 0.
    return {**names, "file": reverse("uploads:file", args=[study.slug, session.pk, 0])}


@signed_in
@require_http_methods(["PUT", "POST"])
@refusals(as_json)
def receive_file(request: StudyRequest, study: str, session: UUID, index: int) -> HttpResponse:
    """Stream one file's raw bytes to staging; ``X-Content-SHA256`` is checked when it is sent."""
    found = _session(request, study, session)
    file = services.receive_file(
        session=found,
        index=index,
        pieces=chunks_of(request),
        expected_sha256=request.headers.get("X-Content-SHA256", ""),
    )
    return JsonResponse({"index": file.index, "sha256": file.sha256})


@signed_in
@require_POST
@refusals(as_json)
def complete(request: StudyRequest, study: str, session: UUID) -> HttpResponse:
    """All files are there: start the import."""
    found = _session(request, study, session)
    services.complete(session=found, by=request.user)
    return JsonResponse(_status(found))


@signed_in
@require_POST
@refusals(as_json)
def abort(request: StudyRequest, study: str, session: UUID) -> HttpResponse:
    """End the upload and erase its bytes."""
    found = _session(request, study, session)
    if found.state != UploadSession.State.OPEN and found.state != UploadSession.State.ABORTED:
        raise UploadError("not-open", "This upload is complete: it can no longer be aborted.")
    services.abort(session=found, by=request.user)
    return JsonResponse(_status(found))


@signed_in
@require_GET
def status(request: StudyRequest, study: str, session: UUID) -> HttpResponse:
    """Tell how far the upload and its import are, with every issue by file number."""
    return JsonResponse(_status(_session(request, study, session)))


def _status(session: UploadSession) -> dict[str, Any]:
    """Nothing of this identifies anybody: the page puts file names beside the numbers by itself."""
    answer: dict[str, Any] = {
        "state": session.state,
        "received": session.files.exclude(sha256="").count(),
        "expected": session.expected_files,
        "stage": "",
        "progress": 0.0,
        "message": "",
        "issues": [],
        "import": None,
        "exam": None,
    }
    job: Any = getattr(session, "import_job", None)
    if job is not None:
        exam = getattr(job, "exam", None)
        answer |= {
            "stage": job.stage,
            "progress": job.progress,
            "message": job.message,
            "import_state": job.state,
            "finished": job.finished_at is not None,
            "issues": list(job.issues.values("file_index", "member", "code", "message", "fatal")),
            "import": reverse("imaging:import", args=[session.study.slug, job.pk]),
            "exam": reverse("imaging:exam", args=[session.study.slug, exam.number])
            if exam is not None
            else None,
        }
    return answer
