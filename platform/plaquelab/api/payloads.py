"""What the viewer is told about a case and about one vessel.

Nothing in here names a site, a subject, a date of a scan, a scanner or another person.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.urls import reverse

from plaquelab.analysis.models import Vessel
from plaquelab.analysis.selectors import lesion_doubts
from plaquelab.api.opened import Opened
from plaquelab.api.vocabulary import columns
from plaquelab.imaging.selectors import ct_slabs
from plaquelab.imaging.slabs import slabs_of
from plaquelab.reading import measuring, replay, selectors
from plaquelab.reading.editing import DraftState, drafts_of, state_of
from plaquelab.reading.models import ReadRevision
from plaquelab.reading.revisions import latest_revision
from plaquelab.reading.transitions import R
from plaquelab.states import TransitionError
from plaquelab.studies.permissions import Capability, may

if TYPE_CHECKING:
    from inference.quantification import VesselRead

SHORT_HASH = 16
OF_A_METRIC = ("value", "unit", "low", "high", "interval_low", "interval_high")


def _base64(array: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=kind).tobytes()).decode("ascii")


def segments_of(names: Iterable[str]) -> list[list[Any]]:
    """Return runs of equal segment names as [short, first section, last section]; unnamed ones are left out."""
    runs = []
    at = 0
    for name, group in groupby(names):
        count = len(list(group))
        if name:
            runs.append([name, at, at + count - 1])
        at += count
    return runs


def case_payload(opened: Opened) -> dict[str, Any]:
    """Return what the viewer needs to begin: vessels, CT, form, permissions, addresses."""
    revision = None
    drafts: dict[str, Any] = {}
    if opened.mode == "read":
        read = opened.read
        revision = latest_revision(read)
        drafts = {draft.vessel.name: draft for draft in drafts_of(read)}
        state, version, form = read.state, read.draft_version, read.form or form_of(revision)
        patient = _draft_patient(opened, drafts) if read.state == R.IN_PROGRESS else stored_patient(revision)
    elif opened.mode == "view":
        revision = opened.revision("")
        state, version, form = (opened.case.state if opened.case else "waiting"), 0, form_of(revision)
        patient = stored_patient(revision, opened)
    else:
        state, version, form, patient = opened.adjudication.case.state, 0, {}, []
    return {
        "study": {
            "slug": opened.study.slug,
            "title": opened.study.title,
            "is_simulated": opened.study.is_simulated,
        },
        "label": opened.label,
        "mode": opened.mode,
        "state": state,
        "version": version,
        "revision": revision.number if revision and opened.mode == "read" else 0,
        "saved_at": revision.created_at.isoformat() if revision and opened.mode == "read" else None,
        "permissions": {
            "edit": opened.may_edit,
            "sign": opened.may_edit,
            "adjudicate": opened.may_adjudicate,
        },
        "profile": opened.profile,
        "form": form,
        "vessels": [
            _vessel_summary(opened, vessel, drafts.get(vessel.name), revision)
            for vessel in opened.run.vessels.order_by("order")
        ],
        "ct": _ct(opened),
        "patient": patient,
        "columns": columns(opened.profile),
        "sources": list(opened.view.sources) if opened.view else [],
        "measured_earlier": _measured_earlier(opened, revision),
        **_addresses(opened),
        "demonstration_password": settings.DEMONSTRATION_PASSWORD if settings.DEMONSTRATION else None,
    }


def form_of(revision: ReadRevision | None) -> dict[str, Any]:
    """Return the form of a revision, or an empty one."""
    return revision.form if revision else {"image_quality": None, "remarks": ""}


def stored_patient(revision: ReadRevision | None, opened: Opened | None = None) -> list[dict[str, Any]]:
    """Return the rows of patient and territories of a revision, or of the run that is viewed."""
    rows = revision.measurements if revision else opened.run.measurements if opened else None
    if rows is None:
        return []
    return [
        measuring.row_as_json(row) for row in rows.filter(level__in=("territory", "patient")).order_by("pk")
    ]


def _draft_patient(opened: Opened, drafts: dict[str, Any]) -> list[dict[str, Any]]:
    tables = []
    for draft in drafts.values():
        vessel_read, digest = replay.present(draft)
        tables.append(measuring.measure(draft.vessel, vessel_read, digest=digest, profile=opened.profile))
    return [measuring.row_as_json(row) for row in measuring.patient(tables, profile=opened.profile)]


def _vessel_summary(
    opened: Opened, vessel: Vessel, draft: Any, revision: ReadRevision | None
) -> dict[str, Any]:
    image = measuring.straightened(vessel)
    if draft is not None and opened.read.state == R.IN_PROGRESS:
        lesions, reviewed = len(replay.present(draft)[0].lesions), draft.reviewed
    elif opened.mode == "adjudicate":
        lesions, reviewed = 0, True
    elif opened.mode == "read" and revision is None:
        # The read has not begun: the network's answer is not the reader's to see.
        lesions, reviewed = 0, False
    else:
        lesions = selectors.contour_set_of(vessel, revision).lesions.count()
        reviewed = revision is not None and vessel.name in revision.reviewed
    digest = vessel.sha256[:SHORT_HASH]
    return {
        "name": vessel.name,
        "sections": vessel.sections,
        "arc_length_mm": float(image.arc_length[-1]),
        "segments": segments_of(image.segment),
        "lesions": lesions,
        "reviewed": reviewed,
        "hu": opened.url("-hu", vessel=vessel.name, digest=digest),
        "frames": opened.url("-frames", vessel=vessel.name, digest=digest),
        "state": opened.url("-state", vessel=vessel.name),
    }


def _ct(opened: Opened) -> dict[str, Any] | None:
    stored = ct_slabs(opened.exam)
    if not stored:
        return None
    geometry = opened.exam.volume.geometry
    shape = [int(n) for n in geometry["shape"]]
    return {
        "shape": shape,
        "affine": [float(x) for row in geometry["affine"] for x in row],
        "slabs": [
            {
                "url": opened.url("-slab", index=slab.index, digest=kept.sha256[:SHORT_HASH]),
                "first": slab.first,
                "count": slab.count,
            }
            for slab, kept in zip(slabs_of(shape[0]), stored, strict=True)
        ],
    }


def _measured_earlier(opened: Opened, revision: ReadRevision | None) -> dict[str, str]:
    """Return source → words where older measuring code than today's made what is shown; "" is the only source."""
    if opened.mode == "view":
        shown = {
            source: opened.revision(source) or opened.run
            for source in (opened.view.sources if opened.view else ())
        }
    elif opened.mode == "read":
        # A read in work is measured anew, by today's code, whatever it began with.
        shown = {"": revision} if revision and opened.read.state != R.IN_PROGRESS else {}
    else:
        # Not side by side: which read is the older one would tell the sides apart.
        both = [opened.revision(side) for side in ("A", "B")]
        older = any(one is not None and one.measured_earlier for one in both)
        return {"": "One read at least was measured by older code than today's."} if older else {}
    return {source: one.measured_earlier for source, one in shown.items() if one and one.measured_earlier}


def _addresses(opened: Opened) -> dict[str, str | None]:
    slug = opened.study.slug
    found: dict[str, str | None] = dict.fromkeys(
        ("commands_url", "revisions_url", "sign_url", "adjudication_url", "list_url", "next_url", "again_url")
    )
    if opened.mode == "view" and may(opened.user, opened.study, Capability.START_ANALYSIS):
        found["again_url"] = reverse("analysis:run", kwargs={"study": slug, "pk": opened.run.pk})
    if opened.mode == "view":
        if may(opened.user, opened.study, Capability.SEE_EXAMS, site=opened.exam.site):
            found["list_url"] = reverse("imaging:exam", kwargs={"study": slug, "number": opened.exam.number})
        else:  # an investigator, who sees final reads but no exam's page
            found["list_url"] = reverse("dashboards:home", kwargs={"study": slug})
        return found
    found["list_url"] = reverse("reading:cases", kwargs={"study": slug})
    found["next_url"] = next_url(opened)
    if opened.mode == "read":
        found["commands_url"] = opened.url("-commands")
        found["revisions_url"] = opened.url("-revisions")
        found["sign_url"] = opened.url("-signature")
    else:
        found["adjudication_url"] = opened.url("-adjudication")
    return found


def next_url(opened: Opened) -> str | None:
    """Return the page of the person's next case of the same kind, or None when nothing is left."""
    after = opened.own.order_index
    if opened.mode == "read":
        read = selectors.next_read(opened.user, opened.study, after=after)
        n = read.assignment.order_index if read else None
    else:
        waiting = selectors.next_adjudication(opened.user, opened.study, after=after)
        n = waiting.order_index if waiting else None
    return reverse("reading:case", kwargs={"study": opened.study.slug, "n": n}) if n else None


def draft_payload(opened: Opened, state: DraftState) -> dict[str, Any]:
    """Return the state of one vessel of a read in work."""
    rows = measuring.measure(
        state.draft.vessel, state.vessel_read, digest=state.digest, profile=opened.profile
    )
    return _state(
        opened,
        vessel=state.draft.vessel,
        vessel_read=state.vessel_read,
        digest=state.digest,
        rows=[measuring.row_as_json(row) for row in rows],
        version=state.version,
        reviewed=state.draft.reviewed,
        can_undo=state.can_undo and opened.may_edit,
        can_redo=state.can_redo and opened.may_edit,
    )


def state_payload(opened: Opened, vessel: Vessel, side: str) -> dict[str, Any]:
    """Return the state of one vessel: the read in work, or what is stored of a signed read or of the run."""
    if opened.mode == "read" and opened.read.state == R.IN_PROGRESS:
        return draft_payload(opened, state_of(read=opened.read, vessel=vessel.name))
    revision = latest_revision(opened.read) if opened.mode == "read" else opened.revision(side)
    if opened.mode == "read" and revision is None:
        # Without one the contours below would be the network's.
        raise TransitionError("This read has not begun: open the case first.")
    contour_set = selectors.contour_set_of(vessel, revision)
    owner = revision if revision is not None else opened.run
    rows = owner.measurements.filter(vessel=vessel.name, level__in=("lesion", "segment", "vessel")).order_by(
        "pk"
    )
    return _state(
        opened,
        vessel=vessel,
        vessel_read=replay.of_contour_set(contour_set),
        digest=replay.base_digest(contour_set),
        rows=[measuring.row_as_json(row) for row in rows],
        version=opened.read.draft_version if opened.mode == "read" else 0,
        reviewed=revision is not None and vessel.name in revision.reviewed,
        can_undo=False,
        can_redo=False,
    )


def _state(
    opened: Opened,
    *,
    vessel: Vessel,
    vessel_read: VesselRead,
    digest: str,
    rows: list[dict[str, Any]],
    version: int,
    reviewed: bool,
    can_undo: bool,
    can_redo: bool,
) -> dict[str, Any]:
    overlay = measuring.overlay(vessel, vessel_read, digest=digest, profile=opened.profile)
    contours = vessel_read.contours
    curves = ("lumen_area", "wall_area", "plaque_area")
    return {
        "vessel": vessel.name,
        "version": version,
        "lumen": _base64(contours.lumen_radius, "<f4"),
        "wall": _base64(contours.wall_radius, "<f4"),
        "plaque": _base64(contours.plaque, "u1"),
        "masks": {str(section): _base64(mask, "u1") for section, mask in contours.masks.items()},
        "composition": _base64(overlay.composition, "u1"),
        "curves": {name: [round(float(x), 4) for x in overlay.curves[name]] for name in curves},
        "lesions": [_lesion(opened, vessel, lesion, rows) for lesion in vessel_read.lesions],
        "measurements": [row for row in rows if row["level"] == "vessel"],
        "excluded": [list(stretch) for stretch in vessel_read.excluded],
        "can_undo": can_undo,
        "can_redo": can_redo,
        "status": "annotated" if vessel_read.lesions else "no plaque" if reviewed else "not annotated",
    }


def _tells_of_the_network(opened: Opened) -> bool:
    """Whether what the network's lesions are doubted for may be shown: never to who reads without having seen them."""
    return opened.mode == "view" or (opened.mode == "read" and opened.read.saw_network)


def _lesion(opened: Opened, vessel: Vessel, lesion: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    mine = [row for row in rows if row["level"] == "lesion" and row["lesion"] == lesion.number]
    return {
        "number": lesion.number,
        "start_mm": lesion.start_mm,
        "end_mm": lesion.end_mm,
        "proximal_reference_mm": lesion.proximal_reference_mm,
        "distal_reference_mm": lesion.distal_reference_mm,
        "flags": list(lesion.flags),
        "segment": mine[0]["segment"] if mine else "",
        "doubts": lesion_doubts(
            opened.run, vessel=vessel.name, start_mm=lesion.start_mm, end_mm=lesion.end_mm
        )
        if _tells_of_the_network(opened)
        else [],
        "metrics": {row["metric"]: {name: row[name] for name in OF_A_METRIC} for row in mine},
    }
