"""One function per noun that makes a valid one, with whatever the test wants to differ."""

import itertools
from secrets import token_hex
from typing import Any

from sqlalchemy.orm import Session

from catalog.domain.actor import SYSTEM, Actor, OrganisationRole, Role
from catalog.domain.entry import Deployment, Entry, Place
from catalog.domain.vocabulary import DeploymentStatus, OrganisationKind
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality, State
from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.models.topic import Topic
from catalog.models.user import OrganisationMembership, User
from catalog.services import curation, submission

_numbers = itertools.count(1)


def make_state(session: Session, code: str = "01", name: str = "Schleswig-Holstein", abbreviation: str = "SH") -> State:
    """A federal state, the existing one where there is one."""
    state = session.get(State, code) or State(code=code, name=name, abbreviation=abbreviation)
    session.add(state)
    return state


def make_municipality(session: Session, ags: str = "01003000", name: str = "Lübeck", **given: Any) -> Municipality:
    """A municipality, the existing one where there is one."""
    found = session.get(Municipality, ags)
    if found is None:
        make_state(session)
        found = Municipality(
            ags=ags,
            name=name,
            search_name=name.lower().replace("ü", "ue"),
            **({"state_code": "01", "population": 218_000, "latitude": 53.87, "longitude": 10.69} | given),
        )
        session.add(found)
        session.flush()
    return found


def make_organisation(session: Session, **given: Any) -> Organisation:
    """A utility that is a full member."""
    number = next(_numbers)
    organisation = Organisation(
        **(
            {"slug": f"stadtwerke-{number}", "name": f"Stadtwerke Nummer {number}", "kind": OrganisationKind.UTILITY}
            | given
        )
    )
    session.add(organisation)
    session.flush()
    return organisation


def make_topic(session: Session, **given: Any) -> Topic:
    """A first-level topic."""
    number = next(_numbers)
    topic = Topic(**({"slug": f"thema-{number}", "name": f"Thema {number}"} | given))
    session.add(topic)
    session.flush()
    return topic


def make_user(
    session: Session,
    organisation: Organisation | None = None,
    role: OrganisationRole = OrganisationRole.MEMBER,
    **given: Any,
) -> User:
    """A person with an account and no password, with a role in the organisation where one is given."""
    number = next(_numbers)
    user = User(
        **(
            {"email": f"person-{number}@example.org", "name": f"Person {number}", "fs_uniquifier": token_hex(16)}
            | given
        )
    )
    if organisation is not None:
        user.memberships.append(OrganisationMembership(organisation=organisation, role=role))
    session.add(user)
    session.flush()
    return user


def actor_for(user: User, *roles: Role) -> Actor:
    """The actor a signed-in person is."""
    return Actor(
        user_id=user.id,
        name=user.name,
        roles=frozenset(roles),
        organisations={row.organisation.id: row.role for row in user.memberships},
    )


def make_entry(session: Session, **given: Any) -> Entry:
    """A complete entry about water in Lübeck."""
    make_municipality(session)
    organisation = given.pop("organisation", None) or make_organisation(session).slug
    topics = given.pop("topics", None) or [make_topic(session).slug]
    return Entry(
        **(
            {
                "title": f"Pegelmessung mit Sensoren {next(_numbers)}",
                "benefit": "Pegelstände sind jederzeit bekannt.",
                "challenge": "Niemand wusste rechtzeitig, wie hoch das Wasser steht.",
                "solution": "Sensoren melden den **Pegel** über LoRaWAN.",
                "topics": topics,
                "organisation": organisation,
                "deployments": [
                    Deployment(
                        organisation=organisation,
                        place=Place(ags="01003000", name="Lübeck"),
                        started="2021-05",
                        status=DeploymentStatus.PILOT,
                        worked="Die Funkabdeckung.",
                        not_worked="Die Batterien hielten nur ein Jahr.",
                    )
                ],
            }
            | given
        )
    )


def make_draft(session: Session, author: Actor, **given: Any) -> Solution:
    """A draft of the author's first organisation."""
    if "organisation" not in given and author.writing_organisations:
        given["organisation"] = session.get_one(Organisation, author.writing_organisations[0]).slug
    return submission.start(session, author, make_entry(session, **given)).solution


def make_published(session: Session, author: Actor | None = None, **given: Any) -> Solution:
    """A published entry; without an author the system wrote it."""
    solution = make_draft(session, author or SYSTEM, **given)
    revision = submission.submit(session, author or SYSTEM, solution)
    curation.publish(session, SYSTEM, revision)
    session.flush()
    return solution


def publish_change(session: Session, solution: Solution, **changed: Any) -> Revision:
    """Accept a changed version of a published entry."""
    entry, version = submission.document_to_edit(session, solution)
    submission.save(session, SYSTEM, solution, entry.model_copy(update=changed), version=version)
    revision = submission.submit(session, SYSTEM, solution)
    curation.publish(session, SYSTEM, revision)
    return revision
