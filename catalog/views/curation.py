"""The curators' desk: the queue, one revision as it will appear with what it changes, the decisions, the archive."""

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from catalog.domain.entry import Entry
from catalog.domain.errors import ConflictError, InvalidError
from catalog.domain.permissions import Permission, require
from catalog.domain.workflow import Status
from catalog.forms.curation import ArchiveForm, PublishForm, ReturnForm
from catalog.forms.fields import Form
from catalog.forms.labels import readable
from catalog.models.base import utcnow
from catalog.models.revision import Revision
from catalog.services import choices, curation, differences, entries, solutions, submission
from catalog.web.context import actor, reading, writing
from catalog.web.locale import say
from catalog.web.login import needs_account

T = TypeVar("T", bound=str)

blueprint = Blueprint("curation", __name__, url_prefix="/redaktion")


@blueprint.get("")
@needs_account
def queue() -> ResponseReturnValue:
    """What waits for a decision, the longest waiting first."""
    status = _one_of(curation.WAITING, request.args.get("stand")) or Status.SUBMITTED
    kind = _one_of(tuple(curation.Kind), request.args.get("art"))
    everything = curation.queue(reading(), actor(), status, kind)
    organisation = request.args.get("organisation", type=int)
    organisations = {
        row.solution.organisation.id: row.solution.organisation.name for row in everything if row.solution.organisation
    }
    shown = [row for row in everything if organisation is None or row.solution.organisation_id == organisation]
    return render_template(
        "curation/queue.html",
        rows=shown,
        status=status,
        kind=kind,
        counts=curation.counts(reading(), actor()),
        statuses=curation.WAITING,
        now=utcnow(),
        organisation=organisation,
        organisations=sorted(organisations.items(), key=lambda item: item[1].casefold()),
    )


def _one_of(known: tuple[T, ...], value: str | None) -> T | None:
    return next((member for member in known if member == value), None)


@blueprint.get("/<int:revision_id>")
@needs_account
def revision(revision_id: int) -> ResponseReturnValue:
    """The revision as it will appear, what it changes, what was said about it, and the decisions."""
    return _page(curation.revision(reading(), actor(), revision_id))


def _page(
    current: Revision, *, accept: PublishForm | None = None, give_back: ReturnForm | None = None, status: int = 200
) -> ResponseReturnValue:
    session = reading()
    entry = Entry.model_validate(current.content)
    live = curation.live_document(session, current)
    changes = differences.compare(live[0], entry) if live else []
    shown = PublishForm(formdata=None) if accept is None else accept
    returned = ReturnForm(formdata=None) if give_back is None else give_back
    shown.version.data = returned.version.data = str(current.version)
    page = render_template(
        "curation/revision.html",
        revision=current,
        preview=True,
        chain=[],
        reuses=[],
        solution=entries.preview(session, current.solution, entry),
        live_number=live[1] if live else None,
        changes=readable(changes, entry, choices.names(session, entry, *([live[0]] if live else []))),
        lacking=submission.gaps(entry),
        notes=submission.notes(session, current),
        accept=shown,
        give_back=returned,
        open=current.status is Status.SUBMITTED,
        archived=current.solution.status is Status.ARCHIVED,
    )
    return page, status


def _decide(revision_id: int, step: Callable[[Session, Revision], None]) -> ResponseReturnValue | None:
    """Take the decision; gives a page where someone else was quicker, None where it is done."""
    try:
        with writing() as session:
            step(session, curation.revision(session, actor(), revision_id, withdrawn=True))
    except ConflictError as problem:
        # Not left to the general page: a curator wants to know who decided what.
        current = curation.decided(reading(), actor(), revision_id)
        return render_template("curation/decided.html", revision=current, message=problem.message), 409
    return None


@blueprint.post("/<int:revision_id>/veroeffentlichen")
@needs_account
def publish(revision_id: int) -> ResponseReturnValue:
    """Make the revision what readers see."""
    form = PublishForm()
    if not form.validate():
        return _page(curation.revision(reading(), actor(), revision_id), accept=form, status=422)
    refused = _decide(
        revision_id,
        lambda session, current: curation.publish(
            session, actor(), current, form.note.data or "", version=form.read_version
        ),
    )
    if refused is not None:
        return refused
    flash(gettext("Der Eintrag ist veröffentlicht."), "success")
    return redirect(url_for("curation.queue"))


@blueprint.post("/<int:revision_id>/zurueckgeben")
@needs_account
def request_changes(revision_id: int) -> ResponseReturnValue:
    """Send the revision back with a reason."""
    form = ReturnForm()
    if not form.validate():
        return _page(curation.revision(reading(), actor(), revision_id), give_back=form, status=422)
    try:
        refused = _decide(
            revision_id,
            lambda session, current: curation.request_changes(
                session, actor(), current, form.reason.data or "", version=form.read_version
            ),
        )
    except InvalidError as problem:
        _tell(form, problem)
        return _page(curation.revision(reading(), actor(), revision_id), give_back=form, status=422)
    if refused is not None:
        return refused
    flash(gettext("Der Eintrag ist mit Ihrem Hinweis zurückgegeben."), "success")
    return redirect(url_for("curation.queue"))


def _tell(form: Form, problem: InvalidError) -> None:
    for name, message in problem.errors.items():
        if name in form:
            form[name].errors = [*form[name].errors, say(message)]


@blueprint.get("/archiv")
@needs_account
def archive_list() -> ResponseReturnValue:
    """Entries taken out of the catalog."""
    return render_template(
        "curation/archive.html", rows=curation.archived(reading(), actor()), counts=curation.counts(reading(), actor())
    )


@blueprint.route("/eintrag/<int:solution_id>/archivieren", methods=["GET", "POST"])
@needs_account
def archive(solution_id: int) -> ResponseReturnValue:
    """Ask for the reason, then take the entry out of the catalog."""
    solution = solutions.by_id(reading(), actor(), solution_id)
    require(actor(), Permission.ARCHIVE, solution)
    form = ArchiveForm()
    if request.method == "GET":
        return render_template("curation/archive_entry.html", solution=solution, form=form)
    if not form.validate():
        return render_template("curation/archive_entry.html", solution=solution, form=form), 422
    try:
        with writing() as session:
            curation.archive(session, actor(), solutions.by_id(session, actor(), solution_id), form.reason.data or "")
    except InvalidError as problem:
        _tell(form, problem)
        return render_template("curation/archive_entry.html", solution=solution, form=form), 422
    flash(gettext("Der Eintrag ist archiviert."), "success")
    return redirect(url_for("curation.archive_list"))


@blueprint.post("/eintrag/<int:solution_id>/wiederherstellen")
@needs_account
def restore(solution_id: int) -> ResponseReturnValue:
    """Put an archived entry back into the catalog."""
    with writing() as session:
        solution = solutions.by_id(session, actor(), solution_id)
        curation.restore(session, actor(), solution)
    flash(gettext("Der Eintrag ist wieder veröffentlicht."), "success")
    return redirect(url_for("solutions.show", slug=solution.slug))
