"""The document: what it takes, what it refuses, what it lacks, and that nothing is lost between JSON and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from catalog.domain.entry import Deployment, Entry, Place, Source, dump, missing
from catalog.domain.vocabulary import DeploymentStatus, StopCause

_TEXTS = some.text(max_size=40)
_DATES = some.sampled_from(["", "2021", "2021-05", "2021-05-17"])
_SITES = some.builds(
    Deployment,
    place=some.builds(Place, name=_TEXTS),
    started=_DATES,
    status=some.none() | some.sampled_from(DeploymentStatus),
    not_worked=_TEXTS,
    stop_causes=some.lists(some.sampled_from(StopCause), max_size=3),
    capex_eur=some.none() | some.floats(0, 1e9),
)
_ENTRIES = some.builds(
    Entry,
    title=_TEXTS,
    benefit=_TEXTS,
    topics=some.lists(_TEXTS, max_size=3),
    deployments=some.lists(_SITES, max_size=3),
)


@given(_ENTRIES)
def test_json_and_back_is_the_same_document(entry: Entry) -> None:
    assert Entry.model_validate(json.loads(json.dumps(dump(entry)))) == entry


@given(some.text(max_size=200))
def test_texts_never_keep_nul_or_carriage_returns(text: str) -> None:
    kept = Entry(title=text[:300], challenge=text).challenge
    assert "\x00" not in kept
    assert "\r" not in kept


def test_texts_keep_what_one_sees_and_nothing_else() -> None:
    entry = Entry(title="\x01 Hallo\x1b[31m \u202eWelt\u2066\x7f ", challenge="a\tb\r\nc\x0b 👩‍👩‍👧 é \ufffe")
    assert entry.title == "Hallo[31m Welt"
    assert entry.challenge == "a\tb\nc 👩‍👩‍👧 é"


@pytest.mark.parametrize(
    "value",
    [
        "21",
        "2021-13",
        "2021-5",
        "2021-05-32",
        "05/2021",
        "3021",
        "2021-05-17T10:00",
        "2021-02-29",
        "2021-04-31",
        "20٢١",
    ],
)
def test_dates_of_another_form_are_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="Bitte ein Datum"):
        Deployment(started=value)


@pytest.mark.parametrize(
    ("started", "ended", "fine"),
    [
        ("2021", "2021", True),
        ("2021-05", "2021", True),
        ("2021", "2021-05", True),
        ("2021-05-17", "2021-05", True),
        ("2021-05-17", "2021-05-16", False),
        ("2021-05", "2020", False),
        ("2021-05", "2021-04-30", False),
        ("", "2020", True),
    ],
)
def test_an_end_before_the_beginning_is_refused(started: str, ended: str, *, fine: bool) -> None:
    if fine:
        assert Deployment(started=started, ended=ended).ended == ended
    else:
        with pytest.raises(ValidationError, match="Ende liegt vor dem Beginn"):
            Deployment(started=started, ended=ended)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://example.org", "https://", "example.org", "https://a b.de"]
)
def test_links_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Source(url=url)


def test_misspelt_fields_are_refused() -> None:
    with pytest.raises(ValidationError):
        Entry.model_validate({"titel": "Pegel"})


def test_what_an_empty_entry_lacks() -> None:
    assert set(missing(Entry())) == {
        "title",
        "benefit",
        "challenge",
        "solution",
        "topics",
        "deployments.0.place",
        "deployments.0.started",
        "deployments.0.status",
        "deployments.0.not_worked",
    }


def test_an_idea_needs_no_beginning_and_no_lesson_and_a_stopped_site_needs_a_cause() -> None:
    def gaps(**site: object) -> set[str]:
        entry = Entry(
            title="T",
            benefit="B",
            challenge="C",
            solution="S",
            topics=["t"],
            deployments=[Deployment(place=Place(name="Lübeck"), **site)],  # type: ignore[arg-type]
        )
        return set(missing(entry))

    assert gaps(status=DeploymentStatus.IDEA) == set()
    assert gaps(status=DeploymentStatus.PILOT) == {"deployments.0.started", "deployments.0.not_worked"}
    stopped = {"status": DeploymentStatus.STOPPED, "started": "2020", "not_worked": "x"}
    assert gaps(**stopped) == {"deployments.0.stop_causes"}
    assert gaps(**stopped, stop_reason="Förderung lief aus.") == set()
    assert gaps(**stopped, stop_causes=[StopCause.LAW]) == set()
