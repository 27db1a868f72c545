"""The viewer's API: a case, its vessels' states, edits, revisions, signatures, adjudication."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from plaquelab.api.access import PersonRequest, PersonView
from plaquelab.api.opened import Opened, check_opened, note_image_access, open_case, open_exam
from plaquelab.api.payloads import (
    case_payload,
    draft_payload,
    form_of,
    next_url,
    state_payload,
    stored_patient,
)
from plaquelab.api.serializers import (
    CommandSerializer,
    DecisionSerializer,
    RevisionSerializer,
    SavedSerializer,
    SignedSerializer,
    SignSerializer,
    StoredCommandSerializer,
    WorkItemSerializer,
)
from plaquelab.reading import selectors, services
from plaquelab.reading.adjudication import side_of_slot, slot_of_side
from plaquelab.reading.discordance import describe
from plaquelab.reading.models import Assignment
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may

_SIDE = OpenApiParameter(
    "side", str, description="A or B when adjudicating; one of the case's sources when viewing an exam"
)


class CaseView(PersonView):
    """Base of everything about one case."""

    def opened(self, request: PersonRequest, **names: Any) -> Opened:
        """Open the case or exam, or 404."""
        if "n" in names:
            return open_case(request, names["study"], names["n"])
        return open_exam(request, names["study"], names["number"])


def _fresh(body: Any) -> Response:
    """Answer with what may change at any time."""
    return Response(body, headers={"Cache-Control": "private, no-store"})


class WorkList(PersonView):
    """The person's own cases."""

    @extend_schema(responses=WorkItemSerializer(many=True))
    def get(self, request: PersonRequest, study: str) -> Response:
        """List the person's own cases with their running numbers."""
        found = Study.objects.filter(slug=study).first()
        if found is None or not may(request.user, found, Capability.TAKE_PART):
            raise Http404("No such study.")
        items = []
        for assignment in selectors.own_assignments(request.user, found).select_related(
            "read", "adjudication"
        ):
            if assignment.purpose == Assignment.Purpose.READ:
                state = assignment.read.state
            else:
                state = "decided" if assignment.adjudication.decided_at else "to decide"
            items.append(
                {
                    "n": assignment.order_index,
                    "purpose": assignment.purpose,
                    "state": state,
                    "due_on": assignment.due_on.isoformat() if assignment.due_on else None,
                    "url": reverse("api:case", kwargs={"study": study, "n": assignment.order_index}),
                }
            )
        return _fresh(items)


class Case(CaseView):
    """A case or an exam in the viewer."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: PersonRequest, **names: Any) -> Response:
        """Return vessels, CT, form, permissions and addresses as they are; 409 for an exam that was not opened."""
        opened = self.opened(request, **names)
        if opened.mode == "view":
            check_opened(request, opened)
        return _fresh(case_payload(opened))


class Opening(CaseView):
    """Opening a case or an exam in the viewer: what a person does first."""

    @extend_schema(request=None, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: PersonRequest, **names: Any) -> Response:
        """Start the reader's read or the adjudication, note that the images were opened, and return the case."""
        opened = self.opened(request, **names)
        note_image_access(request, opened)
        if opened.mode == "read" and opened.may_edit:
            services.start_read(read=opened.read, by=request.user)
            services.note_activity(read=opened.read)
        elif opened.may_adjudicate:
            services.begin_adjudication(case=opened.adjudication.case, by=request.user)
        return _fresh(case_payload(opened))


class State(CaseView):
    """One vessel's contours, lesions and numbers."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT}, parameters=[_SIDE])
    def get(self, request: PersonRequest, vessel: str, **names: Any) -> Response:
        """Return the present state of a vessel; 409 before the read has begun, or the exam or the sides were opened."""
        opened = self.opened(request, **names)
        check_opened(request, opened)
        row = opened.vessel(vessel)
        return _fresh(state_payload(opened, row, request.query_params.get("side", "")))


class Commands(CaseView):
    """Edits of a read."""

    @extend_schema(request=CommandSerializer, responses=StoredCommandSerializer)
    def post(self, request: PersonRequest, **names: Any) -> Response:
        """Apply one command to one vessel; 409 when the page is behind."""
        opened = self.opened(request, **names)
        read = opened.read
        sent = CommandSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        given = sent.validated_data
        opened.vessel(given["vessel"])
        state = services.apply_command(
            read=read,
            vessel=given["vessel"],
            command=given["command"],
            version=given["version"],
            by=request.user,
        )
        services.note_activity(read=read)
        return _fresh({"state": draft_payload(opened, state), "version": state.version})


class Revisions(CaseView):
    """Revisions of a read."""

    @extend_schema(request=RevisionSerializer, responses=SavedSerializer)
    def post(self, request: PersonRequest, **names: Any) -> Response:
        """Keep the read as it stands."""
        opened = self.opened(request, **names)
        read = opened.read
        sent = RevisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.note_activity(read=read)
        revision = services.save_revision(
            read=read,
            by=request.user,
            form=sent.validated_data.get("form", read.form),
        )
        return _fresh({"revision": revision.number, "saved_at": revision.created_at.isoformat()})


class Sign(CaseView):
    """Signing a read."""

    @extend_schema(request=SignSerializer, responses=SignedSerializer)
    def post(self, request: PersonRequest, **names: Any) -> Response:
        """Submit and sign with the account's password."""
        opened = self.opened(request, **names)
        read = opened.read
        sent = SignSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.note_activity(read=read)
        signature = services.submit_and_sign(
            read=read,
            by=request.user,
            password=sent.validated_data["password"],
            form=sent.validated_data.get("form"),
        )
        return _fresh(
            {
                "signed_at": signature.at.isoformat(),
                "printed_name": signature.printed_name,
                "content_sha256": signature.content_sha256,
                "next_url": next_url(opened),
            }
        )


class Adjudication(CaseView):
    """Reads A and B of a discordant case, and the choice between them."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: PersonRequest, **names: Any) -> Response:
        """Return forms and patient rows of both sides, and what differs; nobody is named. 409 before it was opened."""
        opened = self.opened(request, **names)
        check_opened(request, opened)
        return _fresh(self._body(opened))

    @extend_schema(request=DecisionSerializer, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: PersonRequest, **names: Any) -> Response:
        """Choose A or B with a reason and the account's password."""
        opened = self.opened(request, **names)
        adjudication = opened.adjudication
        sent = DecisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        given = sent.validated_data
        services.adjudicate(
            case=adjudication.case,
            by=request.user,
            chosen_slot=slot_of_side(adjudication, given["choose"]),
            reason=given["reason"],
            password=given["password"],
        )
        body = self._body(self.opened(request, **names))
        return _fresh({**body, "next_url": next_url(opened)})

    def _body(self, opened: Opened) -> dict[str, Any]:
        adjudication = opened.adjudication
        sides = {}
        for side in ("A", "B"):
            revision = opened.revision(side)
            sides[side.lower()] = {"form": form_of(revision), "patient": stored_patient(revision)}
        decided = None
        if adjudication.decided_at and adjudication.chosen:
            slot = adjudication.chosen.assignment.slot
            decided = {
                "choose": side_of_slot(adjudication, slot),
                "reason": adjudication.reason,
                "decided_at": adjudication.decided_at.isoformat(),
            }
        items = adjudication.case.discordance.items
        differs = [describe(item, swapped=adjudication.a_slot == 1) for item in items]
        return {**sides, "differs": differs, "decided": decided}
