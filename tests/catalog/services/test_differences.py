"""What a curator is shown as changed: nothing missed, nothing invented, the texts of both sides complete."""

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from catalog.domain.entry import Contact, Deployment, Entry, Kpi, Place, Source, Transfer
from catalog.domain.vocabulary import DeploymentStatus, StopCause, Visibility
from catalog.services.differences import Piece, compare, words

_WORDS = some.sampled_from(
    ["Pegel", "misst", "der", "die", " ", "\n", "Übertragung", "1,5", ".", "nicht", "\n\n", "Zähler-Typ"]
)
_PROSE = some.lists(_WORDS, max_size=60).map(" ".join) | some.text(max_size=80)


def side(pieces: tuple[Piece, ...], mark: str) -> str:
    return "".join(piece.text for piece in pieces if piece.mark in {"same", mark})


@given(_PROSE, _PROSE)
def test_both_texts_can_be_read_back_from_the_pieces(before: str, after: str) -> None:
    pieces = words(before, after)
    assert side(pieces, "removed") == before
    assert side(pieces, "added") == after
    assert all(piece.text for piece in pieces)
    assert all(a.mark != b.mark for a, b in pairwise(pieces))


def test_single_words_are_marked() -> None:
    assert words("Die Batterien hielten nur ein Jahr.", "Die Batterien hielten nur neun Monate.") == (
        Piece("same", "Die Batterien hielten nur "),
        Piece("removed", "ein Jahr"),
        Piece("added", "neun Monate"),
        Piece("same", "."),
    )


def test_a_text_written_anew_is_not_chopped_into_chance_matches() -> None:
    pieces = words(
        "Der Pegel wird von Hand gelesen.", "Sensoren übertragen stündlich, die Leitwarte sieht alles sofort."
    )
    assert [piece.mark for piece in pieces] == ["removed", "added"]


def test_long_texts_without_line_ends_are_compared_in_time() -> None:
    before = " ".join(f"wort{number % 97}" for number in range(6_000))
    after = " ".join(f"wort{number % 89}" for number in range(6_000))
    begun = time.perf_counter()
    pieces = words(before, after)
    assert time.perf_counter() - begun < 2
    assert side(pieces, "removed") == before
    assert side(pieces, "added") == after


def test_equal_documents_do_not_differ() -> None:
    entry = Entry(title="Pegel", deployments=[Deployment(external_id="s-1", place=Place(name="Lübeck"))])
    assert compare(entry, entry.model_copy(deep=True)) == []


def test_each_kind_of_field_is_named_by_its_path() -> None:
    before = Entry(
        title="Pegel",
        topics=["wasser"],
        visibility=Visibility.PUBLIC,
        sources=[Source(url="https://a.de/1")],
        deployments=[
            Deployment(external_id="s-1", status=DeploymentStatus.PILOT, kpis=[Kpi(indicator="Batterien", after=3)])
        ],
    )
    after = Entry(
        title="Pegel messen",
        topics=["wasser", "klima"],
        visibility=Visibility.MEMBERS,
        transfer=Transfer(data="Geländemodell"),
        contact=Contact(mailbox="netz@example.org"),
        sources=[Source(url="https://a.de/1", title="Bericht")],
        deployments=[
            Deployment(
                external_id="s-1",
                status=DeploymentStatus.STOPPED,
                stop_causes=[StopCause.LAW],
                kpis=[Kpi(indicator="Batterien", after=2.5)],
            )
        ],
    )
    changes = {change.path: (change.kind, change.before, change.after) for change in compare(before, after)}
    assert changes == {
        "title": ("changed", "Pegel", "Pegel messen"),
        "topics": ("changed", ["wasser"], ["wasser", "klima"]),
        "visibility": ("changed", Visibility.PUBLIC, Visibility.MEMBERS),
        "transfer.data": ("added", "", "Geländemodell"),
        "contact.mailbox": ("added", "", "netz@example.org"),
        "sources.0.title": ("added", "", "Bericht"),
        "deployments.0.status": ("changed", DeploymentStatus.PILOT, DeploymentStatus.STOPPED),
        "deployments.0.stop_causes": ("added", [], [StopCause.LAW]),
        "deployments.0.kpis.0.after": ("changed", 3, 2.5),
    }


def test_sites_are_recognised_by_identity_however_they_are_ordered() -> None:
    first = Deployment(external_id="s-1", place=Place(name="Lübeck"), not_worked="Batterien")
    second = Deployment(external_id="s-2", place=Place(name="Fulda"), not_worked="Funk")
    assert compare(Entry(deployments=[first, second]), Entry(deployments=[second, first])) == []
    gone = compare(Entry(deployments=[first, second]), Entry(deployments=[second]))
    assert {change.kind for change in gone} == {"removed"}
    assert {change.before for change in gone} == {"Lübeck", "Batterien"}
    new = compare(Entry(deployments=[first]), Entry(deployments=[Deployment(place=Place(name="Ahaus")), first]))
    assert [(change.path, change.kind, change.after) for change in new] == [
        ("deployments.0.place.name", "added", "Ahaus")
    ]


def test_a_renamed_figure_stays_one_row() -> None:
    before = Entry(deployments=[Deployment(external_id="s-1", kpis=[Kpi(indicator="Batterien", after=3)])])
    after = Entry(deployments=[Deployment(external_id="s-1", kpis=[Kpi(indicator="Batteriewechsel", after=3)])])
    assert [change.path for change in compare(before, after)] == ["deployments.0.kpis.0.indicator"]
