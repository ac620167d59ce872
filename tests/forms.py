"""What a browser would send with a form of a page: every control with its value, as the page shows it."""

from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from werkzeug.datastructures import MultiDict


def form_of(page: str, action: str, **typed: Any) -> MultiDict[str, str]:
    """Give the form with this action as a browser would send it; raises LookupError where there is no such form.

    A list as value stands for several boxes, None for a control that is not sent. No button is pressed.
    """
    document = html5lib.parse(page, namespaceHTMLElements=False)
    forms = (form for form in document.iter("form") if form.get("method") == "post")
    form = next((form for form in forms if form.get("action") == action), None)
    if form is None:
        raise LookupError(action)
    sent: MultiDict[str, str] = MultiDict()
    for control in form.iter():
        for name, value in _sent(control):
            sent.add(name, value)
    for name, value in typed.items():
        sent.setlist(name, [] if value is None else value if isinstance(value, list) else [value])
    return sent


def _sent(control: Element) -> list[tuple[str, str]]:
    name = control.get("name")
    if not name or control.get("disabled") is not None:
        return []
    match control.tag:
        case "input" if control.get("type") in {"checkbox", "radio"}:
            return [(name, control.get("value") or "on")] if control.get("checked") is not None else []
        case "input" if control.get("type") not in {"submit", "button"}:
            return [(name, control.get("value") or "")]
        case "textarea":
            return [(name, ("".join(control.itertext())).removeprefix("\n"))]
        case "select":
            options = list(control.iter("option"))
            chosen = [option for option in options if option.get("selected") is not None] or options[:1]
            return [(name, option.get("value") or "") for option in chosen]
        case _:
            return []
