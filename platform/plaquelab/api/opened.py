"""A case as one person has opened it: everything the endpoints need, decided once by reading's selectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.http import Http404
from django.urls import reverse

from plaquelab.accounts.models import User
from plaquelab.analysis.models import AnalysisRun, Vessel
from plaquelab.api.access import PersonRequest
from plaquelab.audit import services as audit
from plaquelab.imaging.models import Exam
from plaquelab.reading import selectors
from plaquelab.reading.adjudication import read_of_side
from plaquelab.reading.charter import read_design
from plaquelab.reading.in_hand import exams_overseen
from plaquelab.reading.models import Adjudication, Assignment, Read, ReadCase, ReadRevision
from plaquelab.reading.revisions import latest_revision
from plaquelab.reading.transitions import OPEN_READ, C
from plaquelab.states import TransitionError
from plaquelab.studies.models import Study
from plaquelab.studies.selectors import current_charter, roles_of


@dataclass(frozen=True)
class Opened:
    """Who opened what, and in which mode.

    Parameters
    ----------
    mode : ``read``, ``adjudicate`` or ``view``.
    names : the URL's keyword arguments, for further addresses of the same case.
    """

    mode: str
    study: Study
    user: User
    exam: Exam
    run: AnalysisRun
    case: ReadCase | None
    names: dict[str, Any]
    assignment: Assignment | None = None
    view: selectors.View | None = None
    _prefix: str = field(default="case")

    def url(self, what: str, **more: Any) -> str:
        """Return the address of one of this case's endpoints."""
        return reverse(f"api:{self._prefix}{what}", kwargs={**self.names, **more})

    @cached_property
    def profile(self) -> str:
        """The composition profile of this case's numbers."""
        charter = self.case.charter if self.case else current_charter(self.study)
        return read_design(charter).profile

    @cached_property
    def label(self) -> str:
        """What the page calls it: the person's own number, or the exam's for those who see exams."""
        return f"Case {self.assignment.order_index}" if self.assignment else f"Exam {self.exam.number}"

    @cached_property
    def read(self) -> Read:
        """The reader's own read."""
        if self.mode != "read" or self.assignment is None:
            raise Http404("No read.")
        return Read.objects.select_related("assignment", "case__run", "case__exam", "charter", "study").get(
            assignment=self.assignment
        )

    @cached_property
    def own(self) -> Assignment:
        """The person's own assignment: 404 for who only views."""
        if self.assignment is None:
            raise Http404("No such case.")
        return self.assignment

    @cached_property
    def adjudication(self) -> Adjudication:
        """The person's own adjudication: 404 for anybody but the case's adjudicator."""
        if self.mode != "adjudicate":
            raise Http404("No such case.")
        return self.own.adjudication

    @property
    def may_edit(self) -> bool:
        """Whether the person may edit and sign now."""
        return self.mode == "read" and self.read.state in OPEN_READ

    @property
    def may_adjudicate(self) -> bool:
        """Whether the person may decide now."""
        return self.mode == "adjudicate" and self.case is not None and self.case.state != C.FINAL

    def vessel(self, name: str) -> Vessel:
        """Return one vessel of the case, or 404."""
        found = self.run.vessels.filter(name=name).first()
        if found is None:
            raise Http404("No such vessel.")
        return found

    def revision(self, side: str) -> ReadRevision | None:
        """Return the revision that is shown: of side A or B, or of the view's source; None is the network's run.

        Raises
        ------
        Http404
            The person may not see that one, or it does not exist.
        """
        if self.mode == "adjudicate":
            if side not in ("A", "B"):
                raise Http404("Say side=A or side=B.")
            return latest_revision(read_of_side(self.adjudication, side))
        if self.view is None:
            raise Http404("No such view.")
        source = side or self.view.sources[0]
        if source not in self.view.sources:
            raise Http404("No such view.")
        return selectors.revision_of_source(self.view, source)


def open_case(request: PersonRequest, study: str, n: int) -> Opened:
    """Open the person's own case number ``n``: 404 for any other."""
    found = Study.objects.filter(slug=study).first()
    assignment = selectors.own_assignment(request.user, found, n) if found else None
    if found is None or assignment is None:
        raise Http404("No such case.")
    mode = "read" if assignment.purpose == Assignment.Purpose.READ else "adjudicate"
    return Opened(
        mode=mode,
        study=found,
        user=request.user,
        exam=assignment.case.exam,
        run=assignment.case.run,
        case=assignment.case,
        names={"study": study, "n": n},
        assignment=assignment,
    )


def open_exam(request: PersonRequest, study: str, number: int) -> Opened:
    """Open an exam for viewing: 404 unless the person's roles allow it."""
    found = Study.objects.filter(slug=study).first()
    view = selectors.exam_view(request.user, found, number) if found else None
    if found is None or view is None:
        raise Http404("No such exam.")
    return Opened(
        mode="view",
        study=found,
        user=request.user,
        exam=view.exam,
        run=view.run,
        case=view.case,
        names={"study": study, "number": number},
        view=view,
        _prefix="view",
    )


def _noted(request: PersonRequest) -> list[str]:
    """Return what this session has an event of already: mode and exam."""
    noted: list[str] = request.session.get("images_opened", [])
    return noted


def _key(opened: Opened) -> str:
    return f"{opened.mode}:{opened.exam.pk}"


def check_opened(request: PersonRequest, opened: Opened) -> None:
    """Refuse to show an exam or the sides of a decision before the person has opened them, which is noted.

    Who is given cases to read or to adjudicate is chosen by what has been noted, so that nothing may be seen without.
    A reader's own case needs no check: before its read has begun there is nothing to show.

    Raises
    ------
    TransitionError
        Not opened.
    """
    if opened.mode == "view" and _key(opened) not in _noted(request):
        # Two tabs of one session may overwrite each other's note; the event stays.
        if opened.exam.number not in exams_overseen(opened.user, opened.study):
            raise TransitionError("This exam has not been opened: open it in the viewer first.")
    elif opened.mode == "adjudicate" and opened.case is not None and opened.case.state == C.DISCORDANT:
        raise TransitionError("The adjudication has not begun: open the case first.")


def note_image_access(request: PersonRequest, opened: Opened) -> None:
    """Write one event a session and case that the person has opened these images."""
    key, noted = _key(opened), _noted(request)
    if key in noted:
        return
    request.session["images_opened"] = [*noted, key]
    roles = {"read": "reader", "adjudicate": "adjudicator"}
    role = roles.get(opened.mode) or ",".join(sorted(roles_of(opened.user, opened.study)))[:20]
    audit.record(
        verb="case.open_images",
        obj=opened.case or opened.exam,
        by=opened.user,
        study=opened.study,
        role=role,
        after={"mode": opened.mode, "exam": opened.exam.number},
    )
