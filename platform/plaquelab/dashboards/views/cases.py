"""One case of a freeze: the row of measurements behind a point, and all else that the freeze holds of the patient."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from plaquelab.dashboards import case_list, case_page, selectors
from plaquelab.freezes.frozen import open_freeze
from plaquelab.freezes.measuring_code import earlier_words
from plaquelab.freezes.selectors import freezes_with_content
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.permissions import Capability, may


@signed_in
@require_GET
def case(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """One patient, at the row that was clicked on."""
    found = get_study(request, study, Capability.SEE_DASHBOARDS)
    row = get_object_or_404(
        freezes_with_content(request.user, found),
        number=number,
    )
    freeze = open_freeze(row)
    patient = request.GET.get("patient", "")
    facts = case_page.facts(freeze, patient)
    if facts is None:
        raise Http404("This freeze has no such patient.")
    chosen = case_page.chosen(freeze, patient, request.GET.get("table", ""), request.GET.get("row", ""))
    people = freeze.table("patients")
    exam = people.loc[(people["patient"] == patient).to_numpy(), "exam"].iloc[0]
    images = ""
    if exam == exam and int(exam) in selectors.exams_with_images(request.user, found, [int(exam)]):
        images = case_list.link_to_images(found.slug, int(exam), chosen.record if chosen else {})
    context = {
        "study": found,
        "is_simulated": found.is_simulated or freeze.simulated,
        "freeze": row,
        "measured_earlier": earlier_words(row),
        "may_start": may(request.user, found, Capability.START_ANALYSIS),
        "patient": patient,
        "facts": facts,
        "chosen": chosen,
        "images": images,
        "tables": [
            *case_page.pair_rows(freeze, patient, slug=found.slug, number=number),
            *case_page.other_rows(freeze, patient),
        ],
    }
    return render(request, "dashboards/case.html", context)
