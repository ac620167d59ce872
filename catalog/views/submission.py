"""Pages on which authors write: start, form, preview, handing in and taking back, and the list of one's own entries."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from catalog.domain.entry import Deployment, Entry
from catalog.domain.errors import ConflictError, InvalidError
from catalog.domain.permissions import Permission, may, require
from catalog.domain.text import N_, Message
from catalog.domain.workflow import EDITABLE, Status
from catalog.forms.fields import version_number
from catalog.forms.labels import ReadableChange, readable
from catalog.forms.submission import EntryForm, StartForm, add_row, values, without_row
from catalog.models.solution import Solution
from catalog.services import choices, differences, entries, solutions, submission
from catalog.web.context import actor, reading, writing
from catalog.web.limits import limited_writes
from catalog.web.login import needs_account

blueprint = Blueprint("submission", __name__)

_SUGGESTIONS = 10
# What one form takes: a fresh entry, and beyond what an imported one already has.
_SITES_AT_ONCE, _SITES_MORE = 60, 20


@blueprint.route("/einreichen", methods=["GET", "POST"])
def start() -> ResponseReturnValue:
    """What submitting means, and the button that begins a draft."""
    if not may(actor(), Permission.CREATE):
        if request.method == "POST":
            require(actor(), Permission.CREATE)
        return render_template("submission/start.html", form=None)
    form = StartForm()
    form.offer(choices.offer(reading(), actor(), Entry()))
    if form.validate_on_submit():
        own = form.organisation.data or ""
        with writing() as session:
            entry = Entry(title=form.title.data or "", organisation=own, deployments=[Deployment(organisation=own)])
            solution = submission.start(session, actor(), entry).solution
        return redirect(url_for("submission.edit", solution_id=solution.id))
    return render_template("submission/start.html", form=form), 422 if form.errors else 200


def _own(solution_id: int, permission: Permission = Permission.EDIT) -> Solution:
    solution = solutions.by_id(reading(), actor(), solution_id)
    require(actor(), permission, solution)
    return solution


@blueprint.get("/einreichen/<int:solution_id>")
@needs_account
def edit(solution_id: int) -> ResponseReturnValue:
    """The form with what was saved last; while an entry is under review, what can be done with it."""
    solution = _own(solution_id)
    revision = submission.open_revision(reading(), solution)
    if revision is not None and revision.status not in EDITABLE:
        return render_template("submission/waiting.html", solution=solution, revision=revision)
    entry, version = submission.document_to_edit(reading(), solution)
    offered = choices.offer(reading(), actor(), entry)
    form = EntryForm(formdata=None, data=values(entry, offered))
    form.version.data = str(version)
    form.settle(reading(), actor())
    return _page(solution, form, entry)


@blueprint.post("/einreichen/<int:solution_id>")
@needs_account
@limited_writes
def write(solution_id: int) -> ResponseReturnValue:
    """Add or remove a row, save the draft, show the preview or hand in; whatever was typed comes back."""
    solution = _own(solution_id)
    base, _ = submission.document_to_edit(reading(), solution)
    sent = request.form
    _refuse_flood(sent, base)
    removed, added = sent.get("remove"), sent.get("add")
    form = EntryForm(formdata=without_row(sent, removed) if removed else sent)
    offered = choices.offer(reading(), actor(), base)
    form.offer(offered)
    form.settle(reading(), actor())
    if removed:
        return _page(solution, form, base, focus=removed.rpartition("-")[0])
    if added:
        own = dict(offered.own_organisations).get(base.organisation, "")
        return _page(solution, form, base, focus=add_row(form, added, organisation=own))
    if "find" in sent:
        return _page(solution, form, base, focus=sent["find"])
    valid = form.validate()
    entry = form.parse(reading(), base)
    if not valid or entry is None:
        return _page(solution, form, base, status=422)
    return _store(solution, form, entry, sent.get("step", "save"))


def _refuse_flood(sent: Mapping[str, str], base: Entry) -> None:
    """Raise InvalidError for more sites than people type: each is some seventy fields, and hundreds stop the server."""
    sites = {name.split("-", 2)[1] for name in sent if name.startswith("deployments-")}
    if len(sites) > max(_SITES_AT_ONCE, len(base.deployments) + _SITES_MORE):
        raise InvalidError(
            {"deployments": Message(N_("So viele Standorte auf einmal nimmt das Formular nicht an, nur der Import."))}
        )


def _store(solution: Solution, form: EntryForm, entry: Entry, step: str) -> ResponseReturnValue:
    """Save, and with the step "submit" hand in; the draft stays saved where handing in is refused."""
    try:
        with writing() as session:
            saved = submission.save(
                session,
                actor(),
                solutions.by_id(session, actor(), solution.id),
                entry,
                version=version_number(form.version.data),
            )
    except InvalidError as problem:
        form.tell(problem.errors)
        return _page(solution, form, entry, status=422)
    except ConflictError as problem:
        # Not left to the general page: it would lose what this person has typed.
        return _conflict(solution.id, form, entry, problem.message)
    form.version.data = str(saved.version)
    if step == "preview":
        return redirect(url_for("submission.preview", solution_id=solution.id))
    if step != "submit":
        flash(gettext("Der Entwurf ist gespeichert."), "success")
        return redirect(url_for("submission.edit", solution_id=solution.id))
    lacking = submission.gaps(entry)
    if form.ask_open_places() or lacking:
        form.tell(lacking)
        return _page(solutions.by_id(reading(), actor(), solution.id), form, entry, status=422)
    return _hand_in(solution.id)


def _hand_in(solution_id: int) -> ResponseReturnValue:
    with writing() as session:
        submission.submit(session, actor(), solutions.by_id(session, actor(), solution_id))
    flash(gettext("Ihr Eintrag ist eingereicht. Die Redaktion prüft ihn und meldet sich per E-Mail."), "success")
    return redirect(url_for("submission.mine"))


def _conflict(solution_id: int, form: EntryForm, mine: Entry, message: Message) -> ResponseReturnValue:
    """Both texts: the other person's field by field beside this person's, whose form stays as typed."""
    solution = solutions.by_id(reading(), actor(), solution_id)
    theirs, version = submission.document_to_edit(reading(), solution)
    form.version.data = str(version)
    changes = readable(differences.compare(theirs, mine), mine, choices.names(reading(), theirs, mine))
    return _page(solution, form, mine, status=409, conflict=message, changes=changes)


def _page(  # noqa: PLR0913 - what the one template of the form can show
    solution: Solution,
    form: EntryForm,
    entry: Entry,
    *,
    status: int = 200,
    focus: str | None = None,
    conflict: Message | None = None,
    changes: Sequence[ReadableChange] = (),
) -> ResponseReturnValue:
    offered = choices.offer(reading(), actor(), entry)
    form.offer(offered)
    revision = submission.open_revision(reading(), solution)
    page = render_template(
        "submission/form.html",
        solution=solution,
        form=form,
        offered=offered,
        revision=revision,
        focus=focus,
        notes=submission.notes(reading(), revision) if revision else [],
        conflict=conflict,
        changes=changes,
    )
    return page, status


@blueprint.get("/einreichen/<int:solution_id>/vorschau")
@needs_account
def preview(solution_id: int) -> ResponseReturnValue:
    """The entry as it will appear once published."""
    solution = _own(solution_id)
    entry, _ = submission.document_to_edit(reading(), solution)
    revision = submission.open_revision(reading(), solution)
    return render_template(
        "submission/preview.html",
        preview=True,
        chain=[],
        reuses=[],
        solution=entries.preview(reading(), solution, entry),
        revision=revision,
        editable=revision is None or revision.status in EDITABLE,
        solution_id=solution.id,
    )


@blueprint.post("/einreichen/<int:solution_id>/einreichen")
@needs_account
def submit(solution_id: int) -> ResponseReturnValue:
    """Hand in the draft as it was saved, from the preview; what is missing is shown in the form."""
    solution = _own(solution_id, Permission.SUBMIT)
    entry, version = submission.document_to_edit(reading(), solution)
    form = EntryForm(formdata=None, data=values(entry, choices.offer(reading(), actor(), entry)))
    form.version.data = str(version)
    form.settle(reading(), actor())
    lacking = submission.gaps(entry)
    if form.ask_open_places() or lacking:
        form.tell(lacking)
        return _page(solution, form, entry, status=422)
    return _hand_in(solution_id)


@blueprint.post("/einreichen/<int:solution_id>/zurueckziehen")
@needs_account
def withdraw(solution_id: int) -> ResponseReturnValue:
    """Take a submitted entry back to go on writing."""
    with writing() as session:
        submission.withdraw(session, actor(), solutions.by_id(session, actor(), solution_id))
    flash(gettext("Der Eintrag ist zurückgezogen. Sie können weiterschreiben."), "success")
    return redirect(url_for("submission.edit", solution_id=solution_id))


@blueprint.route("/einreichen/<int:solution_id>/verwerfen", methods=["GET", "POST"])
@needs_account
def discard(solution_id: int) -> ResponseReturnValue:
    """Ask, then throw the draft away."""
    solution = _own(solution_id)
    if request.method == "GET":
        revision = submission.open_revision(reading(), solution)
        return render_template("submission/discard.html", solution=solution, revision=revision)
    with writing() as session:
        submission.discard(session, actor(), solutions.by_id(session, actor(), solution_id))
    flash(gettext("Der Entwurf ist verworfen."), "success")
    return redirect(url_for("submission.mine"))


@blueprint.get("/meine-beitraege")
@needs_account
def mine() -> ResponseReturnValue:
    """One's own entries and those of one's organisations: where each stands and what to do next."""
    rows = submission.of_actor(reading(), actor())
    return render_template("submission/mine.html", rows=rows, Status=Status)


@blueprint.get("/orte")
def places() -> Response:
    """Municipalities and parts of them that begin with `q`, for a list that opens while typing."""
    found = choices.place_suggestions(reading(), request.args.get("q", "")[:100], _SUGGESTIONS)
    return jsonify(places=[{"name": one.name, "label": one.label, "ags": one.ags} for one in found])


@blueprint.get("/einreichen/standorte")
@needs_account
def sites() -> Response:
    """Sites that a new one can follow, found by words of their entry, place or organisation."""
    found = choices.sites_like(reading(), actor(), request.args.get("q", "")[:200], _SUGGESTIONS)
    return jsonify(sites=[{"id": one.external_id, "label": one.label} for one in found])
