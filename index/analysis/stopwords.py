"""Words that carry no meaning in a text or in a question; synonyms and stems belong elsewhere."""

from typing import Final

from index.analysis import forms


def _folded(words: str) -> frozenset[str]:
    return frozenset(forms.fold(word) for word in words.split())


# Never indexed and never searched for, in folded form.
STOPWORDS: Final = _folded(
    """
    der die das den dem des ein eine einer eines einem einen und oder aber auch als an am auf aus bei beim bis
    da damit
    dass denn dann daher dabei dadurch dafür dagegen damals daran darauf daraus darin darum darüber davon dazu
    doch durch
    er es für gegen hat haben hatte hatten ich ihr ihre ihrem ihren ihrer im in ins ist ja je jede jedem jeden
    jeder jedes
    kann können man mit nach nicht noch nur ob ohne sehr sein seine seinem seinen seiner seit sich sie sind so
    sowie über
    um uns unser unsere unserem unseren unserer unter vom von vor war waren was weil wenn werden wird wir wie wo
    worden
    wurde wurden zu zum zur zwischen zb dh ua usw etc bzw ca sog ggf inkl
    the a an and or of to in on at for with by from is are was were be been its this that these those as into
    """
)

# Dropped from queries only: what people put around the thing they look for ("Wie erkennen wir … früher?").
FILLERS: Final = _folded(
    """
    wer wen wem wessen welche welcher welches welchen welchem wieso weshalb warum wann wohin woher wozu womit wodurch
    gibt gab geben habt hast hätte hätten bin bist seid wäre wären wollen will willst wollten möchte möchten mag mögen
    soll sollen sollte sollten muss müssen müsste müssten darf dürfen dürfte könnte könnten kannst könnt lässt lassen
    machen macht gemacht mach tun tut getan geht gehen ging gegangen kommt kommen bekommen bekommt bringt bringen
    helfen hilft geholfen suchen suche sucht finden finde findet gefunden zeigen zeige zeigt weiss wissen kennt kennen
    bitte danke hallo mal etwas jemand jemanden irgendwo irgendwie irgendwer andere anderen anderer anderes eigentlich
    schon bereits eben gerade wirklich vielleicht einfach am besten beste besser gut gute guten guter gutes mehr
    viel viele
    vielen weniger möglichst mein meine meinem meinen meiner dein deine unser euch euer eure ihnen sie du mir
    mich dir dich
    dazu hier dort jetzt heute früher rechtzeitig schneller immer wieder
    erfahrung erfahrungen beispiel beispiele lösung lösungen ansatz ansätze möglichkeit möglichkeiten idee ideen tipps
    umgesetzt umsetzen einsetzen eingesetzt ausprobiert getestet probiert funktioniert
    how what which who where when why do does did can could should would we you they our your us me my i there
    any some
    has have had get got make made find help want need anyone somebody someone way ways best good better please about
    show using use used
    """
)

# Everyday words: real words, so never taken for typos, and left out where they occur nowhere ("Lohnen sich …?").
# Base forms; they are compared by stem.
EVERYDAY: Final = _folded(
    """
    passieren lohnen halten loswerden werden erreichen schaffen klappen gelingen nehmen stehen stellen setzen legen
    liegen laufen führen bleiben heissen brauchen benötigen nutzen verwenden gebrauchen bieten anbieten erhalten
    verstehen lernen lehren denken glauben meinen sagen sprechen reden fragen antworten hören sehen schauen lesen
    schreiben rufen warten hoffen wünschen freuen ärgern fürchten sorgen kümmern achten beachten merken vergessen
    erinnern beginnen anfangen starten enden aufhören beenden fortsetzen wiederholen ändern wechseln tauschen teilen
    verbinden trennen öffnen schliessen füllen leeren heben fallen steigen sinken wachsen schrumpfen drehen ziehen
    drücken schieben werfen fangen schlagen brechen reissen schneiden binden kleben hängen stecken sitzen schlafen
    essen trinken kochen waschen putzen kaufen verkaufen bezahlen zahlen kosten verdienen leihen schenken gewinnen
    verlieren verbrauchen besitzen gehören fehlen reichen genügen dauern eilen zögern versuchen probieren üben prüfen
    wagen trauen erlauben verbieten verlangen fordern erwarten verhindern vermeiden umgehen ersetzen ergänzen
    entscheiden wählen vergleichen unterscheiden beurteilen bewerten schätzen rechnen zählen messen wiegen
    leicht schwer einfach schwierig schnell langsam früh spät lang kurz gross klein hoch niedrig breit schmal tief
    flach dick dünn stark schwach hart weich warm kalt heiss kühl nass trocken hell dunkel laut leise neu alt jung
    schön hässlich sauber schmutzig voll leer offen geschlossen frei besetzt richtig falsch wahr möglich unmöglich
    nötig wichtig nützlich sinnvoll praktisch günstig billig teuer ganz halb einzeln gemeinsam allein ähnlich gleich
    verschieden besonders gewöhnlich normal üblich selten häufig oft manchmal nie niemals bald gleich später zuerst
    zuletzt endlich plötzlich ungefähr fast kaum ziemlich genug leute mensch menschen ding dinge sache sachen
    mal teil art weise grund fall frage antwort problem tag tage woche monat jahr stunde minute morgen abend nacht
    gestern heute morgen
    """
)
