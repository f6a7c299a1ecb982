"""What rehearsed customers say, in four languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.survey import Band


@dataclass(frozen=True)
class Phrases:
    """One language as customers speak it.

    ``numbers`` are 0 to 10; ``scores`` are sentences around ``{n}``; the first ``yes`` and ``no`` are the plain ones.
    """

    numbers: tuple[str, ...]
    scores: tuple[str, ...]
    unsure: tuple[str, ...]
    comments: Mapping[Band, tuple[str, ...]]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    stop: str


TONGUES: Mapping[str, Phrases] = {
    "en": Phrases(
        numbers=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        scores=("{n}", "I'd say {n}", "{n} out of ten", "hmm, {n}", "I'll give you {n}", "probably {n}"),
        unsure=("seven or eight", "well, it depends", "definitely not a ten"),
        comments={
            "promoter": (
                "She sorted it out in five minutes, I was really impressed.",
                "Polite, quick and it actually worked.",
                "Anna called me back when she said she would. That never happens.",
                "I didn't have to explain everything twice for once.",
                "The man on the phone knew exactly what he was doing.",
                "Got my refund the same day, no arguing.",
                "Honestly the best customer service I've had this year.",
                "Short wait, friendly voice, problem gone.",
            ),
            "passive": (
                "It was fine in the end, but I waited a good fifteen minutes.",
                "Nice people, though your app still logs me out every day.",
                "Problem solved, just took two calls.",
                "Good service, a bit pricey.",
                "He was helpful, but I had to give my number three times.",
                "Nothing wrong with it, nothing special either.",
                "Would have been a nine if the invoice had been clearer.",
            ),
            "detractor": (
                "Third time I've called about the same bill and it is still wrong.",
                "Forty minutes on hold and then the line dropped.",
                "I was passed around four people and nobody could help.",
                "The engineer never turned up and nobody told me.",
                "You put the price up and didn't say a word about it.",
                "The menu is endless, I just wanted to talk to a person.",
                "She was rude, to be honest, and hung up on me.",
                "Internet has been down since Tuesday and all I get is sorry.",
            ),
        },
        yes=("yes", "yes please", "yeah, that would be good"),
        no=("no", "no thanks", "no, that's all right"),
        stop="stop",
    ),
    "pl": Phrases(
        numbers=(
            "zero",
            "jeden",
            "dwa",
            "trzy",
            "cztery",
            "pięć",
            "sześć",
            "siedem",
            "osiem",
            "dziewięć",
            "dziesięć",
        ),
        scores=("{n}", "powiedzmy {n}", "{n} na dziesięć", "myślę, że {n}", "daję {n}", "no to {n}"),
        unsure=("siedem albo osiem", "trudno powiedzieć", "na pewno nie dziesięć"),
        comments={
            "promoter": (
                "Pani bardzo konkretna, wszystko załatwione od ręki.",
                "Szybko, miło i na temat.",
                "Pierwszy raz ktoś naprawdę mnie wysłuchał.",
                "Konsultant oddzwonił tak, jak obiecał.",
                "Fakturę poprawiono w pięć minut, jestem pod wrażeniem.",
                "Nie musiałam czekać i nikt mnie nie przełączał.",
                "Świetna obsługa, polecam każdemu w rodzinie.",
            ),
            "passive": (
                "W porządku, tylko długo się czekało na połączenie.",
                "Sprawa załatwiona, ale dopiero za drugim razem.",
                "Obsługa miła, za to aplikacja mogłaby działać lepiej.",
                "Dobrze, choć drożej niż u konkurencji.",
                "Pan pomógł, ale musiałem trzy razy podawać numer klienta.",
                "Bez zastrzeżeń, ale i bez zachwytu.",
            ),
            "detractor": (
                "Dzwonię trzeci raz w tej samej sprawie i dalej nic.",
                "Czterdzieści minut muzyczki, a potem mnie rozłączyło.",
                "Każdy odsyła do kogoś innego.",
                "Technik nie przyjechał i nikt mnie nie uprzedził.",
                "Podnieśliście cenę bez słowa wyjaśnienia.",
                "Internet nie działa od wtorku, a ja słyszę tylko przepraszamy.",
                "Nie da się dodzwonić do żywego człowieka.",
            ),
        },
        yes=("tak", "tak, poproszę", "no pewnie"),
        no=("nie", "nie, dziękuję", "nie trzeba"),
        stop="stop",
    ),
    "nb": Phrases(
        numbers=("null", "en", "to", "tre", "fire", "fem", "seks", "sju", "åtte", "ni", "ti"),
        scores=("{n}", "jeg vil si {n}", "{n} av ti", "det blir {n}", "jeg gir {n}", "hm, {n}"),
        unsure=("sju eller åtte", "det kommer an på", "i hvert fall ikke ti"),
        comments={
            "promoter": (
                "Hun ordnet alt på fem minutter, kjempebra.",
                "Hyggelig, raskt og det virket.",
                "Endelig noen som skjønte hva jeg mente.",
                "Han ringte tilbake akkurat når han sa han skulle.",
                "Fikk pengene tilbake samme dag.",
                "Kort ventetid og veldig blid kundebehandler.",
            ),
            "passive": (
                "Greit nok, men jeg ventet et kvarter.",
                "Problemet ble løst, men det tok to telefoner.",
                "Hyggelige folk, men appen logger meg ut hele tiden.",
                "Bra service, litt dyrt.",
                "Helt ok, verken mer eller mindre.",
            ),
            "detractor": (
                "Tredje gang jeg ringer om den samme regningen.",
                "Førti minutter i kø, og så ble jeg kastet ut.",
                "Jeg ble satt over fire ganger, og ingen kunne hjelpe.",
                "Montøren dukket aldri opp, og ingen sa fra.",
                "Dere satte opp prisen uten å si et ord.",
                "Nettet har vært nede siden tirsdag.",
            ),
        },
        yes=("ja", "ja takk", "ja, gjerne"),
        no=("nei", "nei takk", "nei, det trengs ikke"),
        stop="stopp",
    ),
    "fr": Phrases(
        numbers=("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"),
        scores=("{n}", "je dirais {n}", "{n} sur dix", "je mets {n}", "allez, {n}", "euh, {n}"),
        unsure=("sept ou huit", "ça dépend", "certainement pas dix"),
        comments={
            "promoter": (
                "La dame a tout réglé en cinq minutes, bravo.",
                "Rapide, aimable et efficace.",
                "Pour une fois, on m'a vraiment écouté.",
                "Le conseiller m'a rappelé à l'heure promise.",
                "Remboursée le jour même, sans discuter.",
                "Très peu d'attente et une personne compétente.",
            ),
            "passive": (
                "C'était bien, mais j'ai attendu un quart d'heure.",
                "Problème résolu, au deuxième appel seulement.",
                "Personnel agréable, mais l'application plante souvent.",
                "Bon service, un peu cher quand même.",
                "Correct, sans plus.",
            ),
            "detractor": (
                "Troisième appel pour la même facture et c'est toujours faux.",
                "Quarante minutes d'attente, puis ça a coupé.",
                "On m'a passé quatre personnes et aucune n'a su m'aider.",
                "Le technicien n'est jamais venu et personne ne m'a prévenu.",
                "Vous augmentez le prix sans rien dire.",
                "Plus d'internet depuis mardi, et on me dit juste désolé.",
            ),
        },
        yes=("oui", "oui, s'il vous plaît", "oui, volontiers"),
        no=("non", "non merci", "non, ce n'est pas la peine"),
        stop="stop",
    ),
}
