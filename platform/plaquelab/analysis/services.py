"""All writes of analysis that a person or another application asks for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction

from plaquelab.analysis import centreline_sets, measuring_code
from plaquelab.analysis.centreline_sets import CentrelineInputError, TwoPoints
from plaquelab.analysis.given_extents import GivenExtents
from plaquelab.analysis.model_versions import current_model
from plaquelab.analysis.models import AnalysisRun, CentrelineSet, ModelVersion
from plaquelab.analysis.results import store_measurements, store_read
from plaquelab.analysis.selectors import main_runs
from plaquelab.analysis.tasks import run_analysis
from plaquelab.analysis.transitions import ENDED_WITHOUT_RESULT, HELD, RUN
from plaquelab.audit import services as audit
from plaquelab.imaging.models import Exam
from plaquelab.jobs import services as jobs
from plaquelab.states import TransitionError
from plaquelab.storage import store

if TYPE_CHECKING:
    from inference.centreline import Centreline
    from plaquelab.accounts.models import User

__all__ = [
    "CentrelineInputError",
    "GivenExtents",
    "TwoPoints",
    "add_centrelines",
    "add_two_points",
    "cancel_run",
    "request_again",
    "request_analysis",
    "request_given_extents",
    "retry_run",
    "ring",
    "store_measurements",
    "store_read",
]

# What a run does beyond model, centrelines, profile and the version of the measuring code.
AUTOMATIC = {"lesions": "automatic"}


def ring(run_id: int) -> None:
    """Ring the doorbell for a run."""
    run_analysis.delay(run_id)


def add_centrelines(
    *,
    exam: Exam,
    lines: Sequence[Centreline],
    source: str,
    by: User | None,
    is_second_operator: bool = False,
) -> CentrelineSet:
    """Store an exam's centrelines (LPS mm); an accepted exam's analysis starts at once.

    Parameters
    ----------
    source : ``file`` or ``stored points``.
    is_second_operator : whether they only serve to compare two operators; nobody reads on them.

    Raises
    ------
    CentrelineInputError
        There is no centreline, or a vessel comes twice.
    """
    names = [line.vessel for line in lines]
    _check_names(names)
    data = centreline_sets.write_csv(lines)
    return _add(
        exam=exam, data=data, suffix=".csv", source=source, names=names, by=by, second=is_second_operator
    )


def add_two_points(
    *, exam: Exam, points: Sequence[TwoPoints], by: User | None, is_second_operator: bool = False
) -> CentrelineSet:
    """Store two points a vessel; the run traces the paths between them.

    Raises
    ------
    CentrelineInputError
        There is no pair, or a vessel comes twice.
    """
    names = [pair.vessel for pair in points]
    _check_names(names)
    data = centreline_sets.points_json(points)
    source = centreline_sets.TWO_POINT
    return _add(
        exam=exam, data=data, suffix=".json", source=source, names=names, by=by, second=is_second_operator
    )


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise CentrelineInputError("No centreline was given: at least one vessel is needed.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CentrelineInputError(f"{', '.join(twice)} came twice: give each vessel once.")


def _add(
    *,
    exam: Exam,
    data: bytes,
    suffix: str,
    source: str,
    names: Sequence[str],
    by: User | None,
    second: bool,
) -> CentrelineSet:
    if source not in centreline_sets.SOURCES:
        raise ValueError(f"{source!r} is no source of centrelines")
    digest = hashlib.sha256(data).hexdigest()
    path = f"exams/{exam.pk}/centrelines-{digest[:16]}{suffix}"
    store().put(path, data)
    with transaction.atomic():
        made = CentrelineSet.objects.create(
            exam=exam, source=source, path=path, sha256=digest, is_second_operator=second
        )
        audit.record(
            verb="exam.add_centrelines",
            obj=exam,
            by=by,
            study=exam.study,
            site=exam.site.code,
            after={"source": source, "sha256": digest, "vessels": list(names), "second_operator": second},
        )
        # Locked, so that of an acceptance and of centrelines that come together, the later one starts the run.
        if Exam.objects.select_for_update().get(pk=exam.pk).state == Exam.State.ACCEPTED:
            request_analysis(exam=exam, by=by, second_operator=second)
    return made


@transaction.atomic
def request_analysis(*, exam: Exam, by: User | None, second_operator: bool = False) -> AnalysisRun:
    """Get or make the run of an exam: newest centrelines, served network, charter's profile, today's measuring code.

    A run that ended without a result is queued again; one that is queued, running or done is returned as it is.

    Parameters
    ----------
    second_operator : run along the newest centrelines of a second operator, with the main run's network and profile.

    Raises
    ------
    TransitionError
        The exam is not accepted, has no volume or no centrelines.
    NoModelError
        No network is served.
    """
    exam.refresh_from_db()
    if exam.state != Exam.State.ACCEPTED:
        raise TransitionError(f"Exam {exam.number} is not accepted: quality control comes before analysis.")
    centrelines = exam.centreline_sets.filter(is_second_operator=second_operator).order_by("-pk").first()
    if centrelines is None:
        raise TransitionError(
            f"Exam {exam.number} has no centrelines: give a file, or two points per vessel."
        )
    # Whether it waits or has run: both are to differ by their centrelines alone.
    main = main_runs(exam).exclude(state__in=ENDED_WITHOUT_RESULT).first() if second_operator else None
    charter = exam.study.charters.order_by("-number").first()
    return _request(
        exam=exam,
        model=main.model if main else current_model(),
        centrelines=centrelines,
        profile=main.profile if main else str(charter.rules["profile"]) if charter else "corrected",
        purpose=AnalysisRun.Purpose.SECOND_OPERATOR if second_operator else AnalysisRun.Purpose.MAIN,
        parameters=AUTOMATIC,
        by=by,
    )


@transaction.atomic
def request_again(*, exam: Exam, by: User | None) -> AnalysisRun:
    """Get or make the run of an exam under what is served now, and with it the one along a second operator's centrelines.

    Raises
    ------
    TransitionError, NoModelError
        As :func:`request_analysis` does.
    """
    run = request_analysis(exam=exam, by=by)
    if exam.centreline_sets.filter(is_second_operator=True).exists():
        request_analysis(exam=exam, by=by, second_operator=True)
    return run


@transaction.atomic
def request_given_extents(
    *,
    run: AnalysisRun,
    extents: Mapping[str, GivenExtents],
    reference: str,
    variant: str = "plaque",
    by: User | None,
) -> AnalysisRun:
    """Get or make the run that measures the network inside given lesions, otherwise as the main run was made.

    One that the main run's own code made is taken first. Where today's code is another, none by the main run's can be
    made any more: then whichever is there stays, and only where there is none does today's code measure.

    Parameters
    ----------
    run : the main run: its centrelines, network and profile are used again.
    extents : vessel → lesions and excluded stretches; vessels without either may be left out.
    reference : whose lesions they are, such as ``revision 12``.
    variant : ``plaque``, or ``wall_minus_lumen`` to compare with ultrasound.
    """
    given = {vessel: extents[vessel].to_json() for vessel in sorted(extents)}
    there = _already_there(run, given, reference=reference, variant=variant)
    if there is not None:
        return there
    return _request(
        exam=run.exam,
        model=run.model,
        centrelines=run.centrelines,
        profile=run.profile,
        purpose=AnalysisRun.Purpose.GIVEN_EXTENTS,
        parameters={"lesions": given, "reference": reference, "variant": variant},
        by=by,
        extents=given,
        reference=reference,
        variant=variant,
    )


def _already_there(
    run: AnalysisRun, given: Mapping[str, Any], *, reference: str, variant: str
) -> AnalysisRun | None:
    """Return the run of the same lesions by the main run's own code; else, unless that is today's, the newest."""
    others = AnalysisRun.objects.filter(
        exam=run.exam,
        model=run.model,
        centrelines=run.centrelines,
        profile=run.profile,
        purpose=AnalysisRun.Purpose.GIVEN_EXTENTS,
        reference=reference,
        variant=variant,
    ).exclude(state__in=ENDED_WITHOUT_RESULT)
    alike = [other for other in others.order_by("-pk") if other.extents == given]
    same_code = [other for other in alike if other.code_version == run.code_version]
    if same_code or not measuring_code.made_earlier(run.code_version):
        alike = same_code
    return next(iter(alike), None)


def _request(
    *,
    exam: Exam,
    model: ModelVersion,
    centrelines: CentrelineSet,
    profile: str,
    purpose: str,
    parameters: Mapping[str, Any],
    by: User | None,
    **more: Any,
) -> AnalysisRun:
    run, made = AnalysisRun.objects.get_or_create(
        exam=exam,
        model=model,
        centrelines=centrelines,
        profile=profile,
        parameters_sha256=hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest(),
        code_version=measuring_code.today(),
        defaults={"study": exam.study, "purpose": purpose, **more},
    )
    if made:
        after = {"state": run.state, "exam": exam.number, "model": run.model.name, "profile": profile}
        after |= {
            "code_version": run.code_version,
            "purpose": purpose,
            **({"reference": run.reference} if run.reference else {}),
        }
        audit.record(
            verb="analysis_run.request", obj=run, by=by, study=exam.study, site=exam.site.code, after=after
        )
        _ring_on_commit(run)
    elif run.state in ENDED_WITHOUT_RESULT:
        retry_run(run=run, by=by)
    return run


def _ring_on_commit(run: AnalysisRun) -> None:
    run_analysis.delay_on_commit(run.pk)  # type: ignore[attr-defined]


@transaction.atomic
def retry_run(*, run: AnalysisRun, by: User | None, reason: str = "") -> AnalysisRun:
    """Queue a run again that failed, timed out or was cancelled.

    Raises
    ------
    TransitionError
        The run is in another state.
    """
    if not jobs.retry(run, by=by, reason=reason):
        raise TransitionError(f"This run is “{run.get_state_display()}”: it cannot be run again.")
    _ring_on_commit(run)
    return run


@transaction.atomic
def cancel_run(*, run: AnalysisRun, by: User, reason: str = "") -> AnalysisRun:
    """Cancel a waiting run at once, or ask a running one to stop at its next stage.

    Raises
    ------
    TransitionError
        The run has ended.
    """
    if RUN.allows(run, "cancel") and run.state == AnalysisRun.State.PENDING:
        RUN.apply(run, "cancel", by=by, reason=reason)
        return run
    if run.state not in HELD or not jobs.request_cancel(run):
        run.refresh_from_db()
        raise TransitionError(f"This run is “{run.get_state_display()}”: there is nothing to cancel.")
    audit.record(verb="analysis_run.request_cancel", obj=run, by=by, study=run.study, reason=reason)
    run.refresh_from_db()
    return run
