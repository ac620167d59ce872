"""Bring the message catalogues up to the texts in code and templates, or check that they are complete.

German is the language of the source texts, so there is one catalogue: English.

    python deploy/messages.py          # extract, merge, compile
    python deploy/messages.py --check  # change nothing; exit 1 and name what is missing
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "catalog" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
KEYWORDS = ("N_", "_", "gettext", "lazy_gettext", "ngettext:1,2", "pgettext:1c,2", "_l")
# Inner-word signs (Nutzer*innen, Nutzer:innen) trip screen readers and are barred by several states' rules.
INNER_SIGN = re.compile(r"[a-zäöüß][*:_·]in(?:nen)?\b")


def extracted() -> Catalog:
    """All texts marked for translation, in the order of the files."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "messages.pot"
        keywords = [option for keyword in KEYWORDS for option in ("-k", keyword)]
        command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", "pyproject.toml", *keywords]
        command += ["--sort-by-file", "--no-wrap", "-o", str(target), "."]
        subprocess.run(command, cwd=ROOT, check=True)
        with target.open("rb") as handle:
            return read_po(handle, locale="de")


def current() -> Catalog:
    """The English catalogue as it lies in the repository."""
    if not FILE.is_file():
        return Catalog(locale="en", domain="messages")
    with FILE.open("rb") as handle:
        return read_po(handle, locale="en")


def problems(template: Catalog, catalog: Catalog) -> list[str]:
    """What keeps the catalogue from being complete, one line each."""
    found = []
    known = {message.id: message for message in catalog if message.id}
    wanted = {message.id for message in template if message.id}
    for message_id in sorted(wanted, key=str):
        message = known.get(message_id)
        text = "" if message is None else message.string
        strings = list(text) if isinstance(text, list | tuple) else [text]
        if not strings or not all(strings):
            found.append(f"not translated: {message_id!r}")
        elif message is not None and message.fuzzy:
            found.append(f"uncertain (fuzzy): {message_id!r}")
    found += [f"no longer used: {message_id!r}" for message_id in known if message_id not in wanted]
    for message in catalog:
        found += [f"{message.id!r}: {error}" for error in message.check(catalog)]
    for message_id in wanted:
        for text in message_id if isinstance(message_id, tuple) else (message_id,):
            if INNER_SIGN.search(text):
                found.append(f"sign inside a word: {text!r}")
    return found


def update(template: Catalog, catalog: Catalog) -> None:
    """Merge the texts into the catalogue, without guesses, and compile it."""
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("wb") as handle:
        # No line numbers and no dates: they would change the file whenever code moves.
        write_po(handle, catalog, width=120, sort_output=True, no_location=True, omit_header=False)
    text = FILE.read_text(encoding="utf-8")
    FILE.write_text(re.sub(r'^"(?:POT-Creation-Date|PO-Revision-Date):.*\n', "", text, flags=re.MULTILINE), "utf-8")
    with FILE.with_suffix(".mo").open("wb") as handle:
        write_mo(handle, catalog)


def main() -> int:
    """Update, or with --check only report; gives the exit status."""
    template = extracted()
    if "--check" in sys.argv[1:]:
        found = problems(template, current())
        print("\n".join(found) if found else f"{len(template)} texts, all translated")
        return 1 if found else 0
    catalog = current()
    update(template, catalog)
    open_ones = [line for line in problems(template, current()) if line.startswith("not translated")]
    print(f"{len(template)} texts, {len(open_ones)} still to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
