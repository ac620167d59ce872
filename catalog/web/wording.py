"""How entries, sites and topics are named on pages, in the reader's language: Jinja filters, no queries."""

from typing import Protocol

from flask import Flask
from flask_babel import gettext
from markupsafe import Markup

from catalog.models.deployment import Deployment, Kpi
from catalog.models.solution import Solution
from catalog.models.topic import Topic
from catalog.services.submission import UNTITLED
from catalog.web.locale import number, page_language, partial_day


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...


def init_app(app: Flask) -> None:
    """Give templates the filters."""
    app.jinja_env.filters.update(
        title_of=title_of,
        title_language=title_language,
        benefit_of=benefit_of,
        benefit_language=benefit_language,
        name_of=name_of,
        description_of=description_of,
        in_language=in_language,
        place_label=place_label,
        site_label=site_label,
        period_of=period_of,
        change_of=change_of,
    )


def _english() -> bool:
    return page_language() == "en"


def in_language(text: str | Markup, language: str) -> str | Markup:
    """What people wrote, marked with its language where the page's is another, so that it is read out as such."""
    return Markup('<span lang="{}">{}</span>').format(language, text) if text and language != page_language() else text


def title_of(solution: Solution) -> str:
    """The title, in English where the page is and there is one; a draft without one says so likewise."""
    if solution.title == UNTITLED:
        return gettext(UNTITLED)
    return solution.title_en if _english() and solution.title_en else solution.title


def title_language(solution: Solution) -> str:
    """The language `title_of` gives."""
    if solution.title == UNTITLED:
        return page_language()
    return "en" if _english() and solution.title_en else solution.language


def benefit_of(solution: Solution) -> str:
    """The benefit in a sentence, in English where the page is and there is one."""
    return solution.benefit_en if _english() and solution.benefit_en else solution.benefit


def benefit_language(solution: Solution) -> str:
    """The language `benefit_of` gives."""
    return "en" if _english() and solution.benefit_en else solution.language


def name_of(thing: _Named) -> str:
    """The name of a topic or technology, in English where the page is and there is one."""
    return thing.name_en if _english() and thing.name_en else thing.name


def description_of(topic: Topic) -> str:
    """What a topic is about, in English where the page is and there is one."""
    return topic.description_en if _english() and topic.description_en else topic.description


def place_label(site: Deployment, *, long: bool = False) -> str:
    """Where a site is: the name people gave it, with its municipality where that says more; `long` adds the state."""
    municipality = site.municipality
    if municipality is None:
        return site.place_name
    name = site.place_name or municipality.name
    if municipality.name.lower() not in name.lower():
        name = f"{name} ({municipality.name})"
    return f"{name}, {municipality.state.name}" if long else name


def site_label(site: Deployment) -> str:
    """What a site is called in headings: its place and who runs it."""
    who = (site.organisation.short_name or site.organisation.name) if site.organisation else site.organisation_name
    return ", ".join(part for part in (place_label(site), who) if part) or gettext("Standort")


def period_of(thing: Deployment | Solution) -> str:
    """From when to when: of a site, or over all sites of an entry."""
    if isinstance(thing, Solution):
        starts = sorted(site.started for site in thing.deployments if site.started)
        ends = [site.ended for site in thing.deployments]
        return _period(starts[0] if starts else "", max(ends) if ends and all(ends) else "")
    return _period(thing.started, thing.ended)


def _period(start: str, end: str) -> str:
    if start and end:
        return gettext("%(start)s bis %(end)s", start=partial_day(start), end=partial_day(end))
    if start:
        return gettext("seit %(start)s", start=partial_day(start))
    return gettext("bis %(end)s", end=partial_day(end)) if end else ""


def change_of(kpi: Kpi) -> str:
    """The change from before to after in percent, with its sign; nothing where it can't be said."""
    if kpi.before is None or kpi.after is None or kpi.before == 0:
        return ""
    percent = (kpi.after - kpi.before) / abs(kpi.before) * 100
    return f"{'+' if percent > 0 else '−' if percent < 0 else '±'}{number(abs(round(percent, 1)))}\xa0%"
