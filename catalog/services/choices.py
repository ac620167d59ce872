"""What authors can choose from while writing: organisations, groups, topics, technologies, places, sites to follow.

Reading only, and only what the actor may know of; how a choice is parsed stands in `forms/submission`.
"""

import re
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from catalog.domain.actor import Actor
from catalog.domain.entry import Entry
from catalog.domain.text import squeeze
from catalog.domain.vocabulary import Membership
from catalog.models.deployment import Deployment
from catalog.models.group import WorkingGroup
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality, PlaceAlias
from catalog.models.solution import Solution, solution_technology
from catalog.models.topic import Technology, Topic
from catalog.services import places
from catalog.services.solutions import visible_to

_TECHNOLOGIES_SHOWN = 60
_ORGANISATIONS_OFFERED = 400
_FEW = 6
_SITE_KEY = re.compile(r"\((?P<key>[^()\s]+)\)\s*$")
_BARE_NAME = re.compile(r"[^,(/]*")
_SHORTEST_SEARCH = 3


@dataclass(frozen=True, slots=True)
class TopicNode:
    """A topic with what lies below it in the tree."""

    slug: str
    name: str
    name_en: str
    children: tuple["TopicNode", ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """A municipality under the name by which it was found: its own or that of one of its parts."""

    name: str
    ags: str
    label: str


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """A site of some entry that another site can follow."""

    external_id: str
    label: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A technology one can tick, in both languages."""

    slug: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything the form offers at once; `names` translates the slugs a document holds into names people know."""

    own_organisations: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    topics: tuple[TopicNode, ...]
    technologies: tuple[Tag, ...]
    organisations: tuple[str, ...]
    names: dict[str, str] = field(default_factory=dict)


def offer(session: Session, actor: Actor, entry: Entry) -> Choices:
    """What the actor can choose from for this entry; what the entry has already chosen is always among it."""
    return Choices(
        own_organisations=_own_organisations(session, actor, entry),
        groups=_groups(session, actor, entry),
        topics=topic_tree(session),
        technologies=_technologies(session, entry),
        organisations=tuple(
            session.scalars(
                # Members first: with thousands of imported partners the list must end somewhere.
                select(Organisation.name)
                .order_by((Organisation.membership == Membership.NONE), Organisation.name)
                .limit(_ORGANISATIONS_OFFERED)
            )
        ),
        names=names(session, entry)["organisation"],
    )


def _own_organisations(session: Session, actor: Actor, entry: Entry) -> tuple[tuple[str, str], ...]:
    query = select(Organisation.slug, Organisation.name).order_by(Organisation.name)
    if not actor.is_admin:
        query = query.where(
            or_(Organisation.id.in_(actor.writing_organisations), Organisation.slug == entry.organisation)
        )
    return tuple((row.slug, row.name) for row in session.execute(query))


def _groups(session: Session, actor: Actor, entry: Entry) -> tuple[tuple[str, str], ...]:
    query = select(WorkingGroup.slug, WorkingGroup.name).order_by(WorkingGroup.name)
    if not actor.is_admin:
        query = query.where(or_(WorkingGroup.id.in_(actor.groups), WorkingGroup.slug == entry.working_group))
    return tuple((row.slug, row.name) for row in session.execute(query))


def topic_tree(session: Session) -> tuple[TopicNode, ...]:
    """The whole tree of topics, from the first level down, in curated order."""
    below: dict[int | None, list[Topic]] = {}
    for topic in session.scalars(select(Topic).order_by(Topic.position, Topic.name)):
        below.setdefault(topic.parent_id, []).append(topic)

    def nodes(parent_id: int | None) -> tuple[TopicNode, ...]:
        return tuple(
            TopicNode(topic.slug, topic.name, topic.name_en, nodes(topic.id)) for topic in below.get(parent_id, ())
        )

    return nodes(None)


def _technologies(session: Session, entry: Entry) -> tuple[Tag, ...]:
    """Show the most used tags and those chosen; imports may have brought thousands, which a text field still takes."""
    used = (
        select(solution_technology.c.technology_id, func.count().label("uses"))
        .group_by(solution_technology.c.technology_id)
        .subquery()
    )
    rows = session.execute(
        select(Technology.slug, Technology.name, Technology.name_en)
        .outerjoin(used, used.c.technology_id == Technology.id)
        .order_by(func.coalesce(used.c.uses, 0).desc(), Technology.id)
        .limit(_TECHNOLOGIES_SHOWN)
    ).all()
    chosen = session.execute(
        select(Technology.slug, Technology.name, Technology.name_en).where(Technology.slug.in_(entry.technologies))
    ).all()
    tags = {Tag(row.slug, row.name, row.name_en) for row in (*rows, *chosen)}
    return tuple(sorted(tags, key=lambda tag: tag.name.casefold()))


def names(session: Session, *versions: Entry) -> dict[str, dict[str, str]]:
    """What people call the things these documents name by slug: by field, then by slug."""
    organisations = {entry.organisation for entry in versions}
    for site in (site for entry in versions for site in entry.deployments):
        organisations |= {site.organisation, *(partner.organisation for partner in site.partners)}
    wanted: dict[str, tuple[type[Organisation | Topic | Technology | WorkingGroup], set[str]]] = {
        "organisation": (Organisation, organisations),
        "working_group": (WorkingGroup, {entry.working_group for entry in versions}),
        "topics": (Topic, {slug for entry in versions for slug in entry.topics}),
        "technologies": (Technology, {slug for entry in versions for slug in entry.technologies}),
    }
    return {
        field: {
            row.slug: row.name
            for row in session.execute(select(model.slug, model.name).where(model.slug.in_(slugs - {""})))
        }
        for field, (model, slugs) in wanted.items()
    }


def place_label(name: str, municipality: Municipality) -> str:
    """A place as it is offered and recognised again: "Travemünde (Lübeck, Schleswig-Holstein)"."""
    further = [municipality.name, municipality.district, municipality.state.name]
    return f"{name} ({', '.join(dict.fromkeys(part for part in further if part and part != name))})"


def _place_choice(name: str, municipality: Municipality) -> PlaceChoice:
    return PlaceChoice(name, municipality.ags, place_label(name, municipality))


def places_named(session: Session, text: str) -> list[PlaceChoice]:
    """The municipalities a name can mean, the biggest first; one where the text says which, none for unknown names."""
    text = squeeze(text)
    by_key = session.get(Municipality, text)
    if by_key is not None:
        return [_place_choice(by_key.name, by_key)]
    folded = places.search_name(text)
    if not folded:
        return []
    own = session.scalars(
        select(Municipality)
        .where(Municipality.search_name == folded)
        .order_by(Municipality.population.desc().nulls_last())
    )
    parts = session.execute(
        select(PlaceAlias.name, Municipality)
        .join(Municipality, PlaceAlias.ags == Municipality.ags)
        .where(PlaceAlias.search_name == folded)
        .order_by(Municipality.population.desc().nulls_last())
    ).all()
    found: dict[str, PlaceChoice] = {}
    for name, municipality in (*((place.name, place) for place in own), *((name, place) for name, place in parts)):
        found.setdefault(municipality.ags, _place_choice(name, municipality))
    choices = list(found.values())
    labelled = [one for one in choices if one.label == text]
    if labelled:
        return labelled
    named = [one for one in choices if one.name == text]
    # A name with its addition, "Neustadt (Hessen)", says which. Of towns of one bare name the biggest wins when it
    # alone bears just this name, as Münster does; a bare "Neustadt" stays a question.
    sure = len(named) == 1 and (named == choices[:1] or not _BARE_NAME.fullmatch(text))
    return named if sure else choices


def places_like(session: Session, text: str) -> list[PlaceChoice]:
    """What someone may have meant by a name the gazetteer does not know: places that begin alike, the likest first."""
    folded = places.search_name(text)
    for length in (5, 4, 3):
        if len(folded) >= length:
            found = places.suggest(session, folded[:length], limit=40)
            if found:
                ranked = sorted(
                    found, key=lambda pair: -SequenceMatcher(None, folded, places.search_name(pair[0])).ratio()
                )
                return [_place_choice(name, place) for name, place in ranked[:_FEW]]
    return []


def place_suggestions(session: Session, prefix: str, limit: int = 10) -> list[PlaceChoice]:
    """Places whose name begins like this, for a list that opens while typing."""
    return [_place_choice(name, place) for name, place in places.suggest(session, prefix, limit)]


def site_label(site: Deployment) -> str:
    """A site as it is offered and recognised again; its key stands at the end in brackets."""
    where = site.place_name or (site.municipality.name if site.municipality else "") or site.organisation_name
    if not where and site.organisation:
        where = site.organisation.name
    return f"{site.solution.title}{' – ' if where else ''}{where} ({site.external_id})"


def site_named(session: Session, actor: Actor, text: str) -> SiteChoice | None:
    """The site a text names by its key, alone or in brackets at the end; None where the actor knows of no such site."""
    text = squeeze(text)
    found = _SITE_KEY.search(text)
    keys = {text} | ({found["key"]} if found else set())
    site = session.scalars(_sites(actor).where(Deployment.external_id.in_(keys))).first()
    return SiteChoice(site.external_id, site_label(site)) if site else None


def sites_like(session: Session, actor: Actor, text: str, limit: int = 8) -> list[SiteChoice]:
    """Sites whose entry, place or organisation has all words of the text in its name."""
    words = [word for word in squeeze(text).split() if len(word) >= _SHORTEST_SEARCH][:6]
    if not words:
        return []
    query = _sites(actor).outerjoin(Deployment.municipality).outerjoin(Deployment.organisation)
    for word in words:
        query = query.where(
            or_(
                *(
                    func.lower(column).contains(form, autoescape=True)
                    for column in (Solution.title, Deployment.place_name, Municipality.name, Organisation.name)
                    for form in {word.lower(), word}  # SQLite lowers no umlauts
                )
            )
        )
    found = session.scalars(query.order_by(Solution.published_at.desc().nulls_last(), Deployment.id).limit(limit)).all()
    return [SiteChoice(site.external_id, site_label(site)) for site in found]


def _sites(actor: Actor) -> Select[Deployment]:
    return (
        select(Deployment)
        .join(Deployment.solution)
        .where(visible_to(actor))
        .options(
            joinedload(Deployment.solution), joinedload(Deployment.municipality), joinedload(Deployment.organisation)
        )
    )
