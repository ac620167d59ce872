"""Finding municipalities by key or by name as people write it; the gazetteer's rows come from `services/seeding`."""

import re

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.models.place import Municipality, PlaceAlias

_FOLDING = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_PREFIX = re.compile(r"^(?:hansestadt|landeshauptstadt|kreisstadt|stadt|gemeinde|markt|bundesstadt)\s+")


def search_name(name: str) -> str:
    """The form under which a place name is looked up: lower case, umlauts written out, no addition after a comma."""
    folded = " ".join(name.lower().translate(_FOLDING).split())
    return _PREFIX.sub("", re.split(r"[,(]", folded, maxsplit=1)[0].strip())


def find(session: Session, *, ags: str = "", name: str = "") -> Municipality | None:
    """The municipality with this AGS or, failing that, this name or alias; the most populous where several share it."""
    if ags:
        by_key = session.get(Municipality, ags)
        if by_key is not None:
            return by_key
    folded = search_name(name)
    if not folded:
        return None
    ranked = Municipality.population.desc().nulls_last()
    found = session.scalars(select(Municipality).where(Municipality.search_name == folded).order_by(ranked)).first()
    if found is None:
        found = session.scalars(
            select(Municipality)
            .join(PlaceAlias, PlaceAlias.ags == Municipality.ags)
            .where(PlaceAlias.search_name == folded)
            .order_by(ranked)
        ).first()
    return found


def suggest(session: Session, prefix: str, limit: int = 10) -> list[tuple[str, Municipality]]:
    """Municipalities whose name, or a part of town whose name, begins with the prefix; big ones first.

    Each comes with the name that matched, so that "Travemünde" can be offered and stored as Lübeck.
    """
    folded = search_name(prefix)
    if not folded:
        return []
    starts = folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    ranked = Municipality.population.desc().nulls_last()
    exact_first = (Municipality.search_name == folded).desc()
    found = [
        (place.name, place)
        for place in session.scalars(
            select(Municipality)
            .where(or_(Municipality.search_name.like(starts, escape="\\"), Municipality.ags == prefix.strip()))
            .order_by(exact_first, ranked)
            .limit(limit)
        )
    ]
    aliases = session.execute(
        select(PlaceAlias.name, Municipality)
        .join(Municipality, PlaceAlias.ags == Municipality.ags)
        .where(PlaceAlias.search_name.like(starts, escape="\\"))
        .order_by(ranked)
        .limit(limit)
    )
    return [*found, *((name, place) for name, place in aliases)][:limit]
