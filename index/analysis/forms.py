"""Reduces one word to the form all its spellings and inflections share; splitting compounds belongs elsewhere."""

import re
import unicodedata
import warnings
from typing import Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh 2.7.4 compiles with SyntaxWarnings on Python 3.12 and later
    from whoosh.lang.snowball.german import GermanStemmer

# "ue" written for "ü", but not in "neue", "Quelle", "Bauer", "Steuer"
_UE = re.compile(r"(?<![aeoqäöü])ue")
_UMLAUTS: Final = str.maketrans("äöü", "aou")
# sanieren, saniert, Sanierung: the stemmer keeps participles and verbs apart from the noun
_IEREN = re.compile(r"(.{2,}ier)(?:en|e|t|te|ten|ter|tes|tem|est|ung|ungen|end|ende|enden|bar|bare|baren)\Z")
# the stemmer takes -em for an ending: "System" would become "syst", but "Systeme" "system"
_EM = re.compile(r"(.*(?:system|problem|modem|extrem|phänomen))(?:e|en|s|es|er)?\Z")
_MIN_STEMMED = 4

# stem: forms (folded). Two reasons only: (1) the stemmer lets two different words of the field fall together,
# (2) it keeps forms of one word apart. An umlaut in a stem keeps it distinct from every stem the stemmer makes.
_TABLE: Final[dict[str, str]] = {
    # (1) kept apart: a meter is no number, heat is no adjective, funding is no demand
    "zähler": "zähler zählers zählern",
    "zähl": "zählung zählungen zählen zählt gezählt",
    "wärme": "wärme",
    "kälte": "kälte",
    "größe": "grösse grössen",
    "länge": "länge längen",
    "höhe": "höhe höhen",
    "härte": "härte härten",
    "fläche": "fläche flächen",
    "förder": "förderung förderungen fördern fördert gefördert geförderte geförderten",
    "schön": "schön schöne schöner schönes schönen",
    "bürger": "bürger bürgern bürgers bürgerin bürgerinnen",
    "träger": "träger trägers trägern",
    "bär": "bär bären",
    "müller": "müller müllers",
    "messer": "messer messers messern",
    "lecker": "lecker leckere leckeren",
    "küche": "küche küchen",
    "städte": "städtisch städtische städtischen städtischer städtisches",
    "lader": "lader laders ladern",
    "laden": "läden",
    "mieter": "mieter mieters mietern mieterin mieterinnen",
    "rechner": "rechner rechners rechnern",
    "leiter": "leiter leiters leitern leiterin",
    "melder": "melder melders meldern",
    "planer": "planer planers planern planerin planerinnen",
    "wässer": "wässern wässert bewässern",
    "behälter": "behälter behälters behältern",
    "drück": "drücken drückt",
    # (2) brought together
    "bus": "bus busse bussen busses",
    "museum": "museum museen museums",
    "zentrum": "zentrum zentren zentrums",
    "gymnasium": "gymnasium gymnasien gymnasiums",
    "medium": "medium medien mediums",
    "risiko": "risiko risiken risikos",
    "konto": "konto konten kontos",
    "thema": "thema themen themas",
    "firma": "firma firmen",
    "praxis": "praxis praxen",
    "trafo": "trafo trafos transformator transformatoren transformators",
    "bau": "bau baus bauten",
    "kommun": "kommune kommunen kommunal kommunale kommunalen kommunaler kommunales",
    "kosten": "kosten kostet kostete",
    "ausfall": "ausfall ausfälle ausfällen ausfalls ausfallen ausgefallen ausfällt",
    "versorg": "versorgung versorgungen versorgt versorgen versorgte versorgten",
    "entsorg": "entsorgung entsorgungen entsorgt entsorgen entsorgte",
    "erkenn": "erkennung erkennen erkennt erkannt erkannte erkannten",
    "mess": "messung messungen messen misst gemessen gemessene gemessenen",
    "steuer": "steuerung steuerungen steuern steuert gesteuert gesteuerte gesteuerten steuerbar steuerbare steuerbaren",
    "regel": "regelung regelungen regeln regelt geregelt regel geregelte",
    "speicher": "speicher speichers speichern speicherung speicherungen speichert gespeichert",
    "spar": "sparen spart gespart einsparen einsparung einsparungen eingespart",
    "ables": "ablesen ablesung ablesungen abgelesen",
    "ausles": "auslesen auslesung auslesungen ausgelesen",
    "überwach": "überwachung überwachungen überwachen überwacht überwachte überwachten",
    "plan": "plan pläne plänen plans planes planung planungen planen plant geplant geplante geplanten",
    "bruch": "bruch brüche brüchen bruchs bruches brechen bricht gebrochen",
    "schad": "schaden schäden schadens",
    "leck": "leck lecks lecke leckage leckagen",
    "nutz": "nutzung nutzungen nutzen nutzt genutzt genutzte genutzten",
    "lad": "lade laden lädt geladen aufladen ladung ladungen",
    "heiz": "heizung heizungen heizen heizt geheizt",
    "reinig": "reinigung reinigungen reinigen reinigt gereinigt gereinigte",
    "erneuer": "erneuerung erneuerungen erneuern erneuert erneuerte",
    "erweiter": "erweiterung erweiterungen erweitern erweitert",
    "verbesser": "verbesserung verbesserungen verbessern verbessert",
    "miet": "miete mieten vermietung vermieten vermietet",
    "sensor": "sensor sensoren sensors sensorik",
    "monitor": "monitoring monitor monitore",
    "änder": "änderung änderungen ändern ändert geändert",
    "förderband": "förderband förderbänder",
    "wartung": "wartung wartungen warten gewartet",
    "ortung": "ortung ortungen orten geortet",
    "prüf": "prüfung prüfungen prüfen prüft geprüft",
    "mahd": "mahd mähen gemäht",
    "dimm": "dimmen dimmung gedimmt dimmbar dimmbare dimmbaren",
    "trink": "trink trinken",
    "strasse": "strasse strassen",
    "digitalisier": "digitalisierung digitalisieren digitalisiert digital digitale digitalen digitaler digitales",
    "automatisier": "automatisierung automatisieren automatisiert automatisierte automatisierten automatisch"
    " automatische automatischen automatik",
}
_IRREGULAR: Final[dict[str, str]] = {form: stem for stem, forms in _TABLE.items() for form in forms.split()}

_stemmer = GermanStemmer()


def fold(word: str) -> str:
    """Return the spelling all ways of typing a word share, umlauts kept: "Straße", "Strasse"; "Müll", "Muell".

    Accents other than umlauts are dropped ("Café" -> "cafe").
    """
    word = word.lower()
    if word.isascii():
        return _written_out(word) if "e" in word else word
    word = word.replace("ß", "ss")
    if any(ch not in "äöü" and not ch.isascii() for ch in word):
        word = "".join(ch if ch in "äöü" else _plain(ch) for ch in word)
    return _written_out(word)


def _plain(char: str) -> str:
    if char.isascii():
        return char
    return "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c)).lower() or char


def _written_out(word: str) -> str:
    if "ae" in word:
        word = word.replace("ae", "ä")
    if "oe" in word:
        word = word.replace("oe", "ö")
    return _UE.sub("ü", word) if "ue" in word else word


def variants(word: str) -> tuple[str, ...]:
    """Return the exact spellings under which a word may stand in the index, the typed one first; at most four."""
    word = word.lower()
    found = [word]
    folded = fold(word)
    for other in (folded, folded.replace("ss", "ß"), folded.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")):
        if other not in found:
            found.append(other)
    return tuple(found)


def irregular(folded: str) -> str | None:
    """Return the stem the table gives for a folded form, or None."""
    return _IRREGULAR.get(folded)


def forms_of(stem: str) -> tuple[str, ...]:
    """Return the forms the table brings together under a stem: they need not begin like it."""
    return tuple(_TABLE[stem].split()) if stem in _TABLE else ()


def written_out(lower: str) -> bool:
    """Tell whether a lower-case text holds what may be a written-out umlaut."""
    return "ae" in lower or "oe" in lower or _UE.search(lower) is not None


def stem(folded: str) -> str:
    """Return the stem of a folded form: the table first, then -ieren verbs, then Whoosh's German stemmer."""
    known = _IRREGULAR.get(folded)
    if known is not None:
        return known
    if len(folded) < _MIN_STEMMED or not folded.isalpha():
        return folded.translate(_UMLAUTS)
    noun = _EM.match(folded)
    if noun is not None:
        return noun.group(1).translate(_UMLAUTS)
    verb = _IEREN.match(folded)
    if verb is not None:
        return verb.group(1).translate(_UMLAUTS)
    # the stemmer drops umlauts itself, but only where it stems: translate the rest too
    return str(_stemmer.stem(folded)).translate(_UMLAUTS) or folded


def bare(folded: str) -> str:
    """Return a folded form without umlauts: the shape of the head of a compound in a stem."""
    return folded.translate(_UMLAUTS)
