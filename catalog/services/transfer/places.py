"""Places as people write them, resolved for an import: with the state where one is given, and a note on any doubt."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.domain.entry import Place
from catalog.domain.text import squeeze
from catalog.models.place import Municipality, PlaceAlias, State
from catalog.services.places import search_name


class PlaceNames:
    """Resolves place names, with the state where one is given; each distinct question is asked once."""

    def __init__(self, session: Session) -> None:
        """Bind to the session that is asked."""
        self._session = session
        self._keys: dict[str, bool] = {}
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._states: dict[str, str] | None = None

    def resolve(self, place: Place, state: str = "") -> tuple[Place, str]:
        """The place with its AGS where the gazetteer knows it, and a note where there is something to say."""
        if place.ags:
            if place.ags not in self._keys:
                self._keys[place.ags] = self._session.get(Municipality, place.ags) is not None
            if self._keys[place.ags]:
                return place, ""
            text = {"ags": "", "name": place.name or f"AGS {place.ags}"}
            return place.model_copy(update=text), f"AGS {place.ags} is not in the gazetteer, kept as text"
        if not place.name:
            return place, ""
        key = (place.name, state)
        if key not in self._names:
            self._names[key] = self._find(place.name, state)
        ags, note = self._names[key]
        return place.model_copy(update={"ags": ags}), note

    def _find(self, name: str, state: str) -> tuple[str, str]:
        folded = search_name(name)
        ranked = Municipality.population.desc().nulls_last()
        columns = (Municipality.ags, Municipality.name, Municipality.district, Municipality.state_code)
        rows = (
            self._session.execute(
                select(*columns).where(Municipality.search_name == folded).order_by(ranked, Municipality.ags)
            ).all()
            or self._session.execute(
                select(*columns)
                .join(PlaceAlias, PlaceAlias.ags == Municipality.ags)
                .where(PlaceAlias.search_name == folded)
                .order_by(ranked, Municipality.ags)
            ).all()
        )
        if not folded or not rows:
            return "", f"{name[:60]!r} is not in the gazetteer, kept as text"
        code = self._state(state)
        if state and code is None:
            return rows[0].ags, f"{state[:40]!r} is no German state, left out"
        fitting = [row for row in rows if code is None or row.state_code == code]
        if not fitting:
            return rows[
                0
            ].ags, f"{name[:60]!r} is not in {state}; the one in {rows[0].district or 'another state'} was taken"
        if len(fitting) > 1:
            return fitting[
                0
            ].ags, f"{len(fitting)} municipalities are called {name[:60]!r}; took the largest, in {fitting[0].district}"
        return fitting[0].ags, ""

    def _state(self, text: str) -> str | None:
        if self._states is None:
            self._states = {}
            for state in self._session.scalars(select(State)):
                for name in (state.name, state.abbreviation, f"DE-{state.abbreviation}", state.code):
                    self._states[name.casefold()] = state.code
        return self._states.get(squeeze(text).casefold())
