"""The numbers from 11 to 999 in words, written here by the rules of each language and apart from its vocabulary."""

from collections.abc import Iterator

ENGLISH_UNITS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
ENGLISH_UNITS += ["seventeen", "eighteen", "nineteen"]
ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

POLISH_UNITS = [
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
    "jedenaście",
    "dwanaście",
    "trzynaście",
]
POLISH_UNITS += ["czternaście", "piętnaście", "szesnaście", "siedemnaście", "osiemnaście", "dziewiętnaście"]
POLISH_TENS = [
    "dwadzieścia",
    "trzydzieści",
    "czterdzieści",
    "pięćdziesiąt",
    "sześćdziesiąt",
    "siedemdziesiąt",
    "osiemdziesiąt",
]
POLISH_TENS += ["dziewięćdziesiąt"]
POLISH_HUNDREDS = [
    "sto",
    "dwieście",
    "trzysta",
    "czterysta",
    "pięćset",
    "sześćset",
    "siedemset",
    "osiemset",
    "dziewięćset",
]

NORWEGIAN_UNITS = [
    "en",
    "to",
    "tre",
    "fire",
    "fem",
    "seks",
    "sju",
    "åtte",
    "ni",
    "ti",
    "elleve",
    "tolv",
    "tretten",
    "fjorten",
    "femten",
    "seksten",
    "sytten",
]
NORWEGIAN_UNITS += ["atten", "nitten"]
NORWEGIAN_TENS = ["tjue", "tretti", "førti", "femti", "seksti", "sytti", "åtti", "nitti"]

FRENCH_UNITS = [
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
]
FRENCH_UNITS += ["dix-sept", "dix-huit", "dix-neuf"]
FRENCH_TENS = [
    "vingt",
    "trente",
    "quarante",
    "cinquante",
    "soixante",
    "soixante",
    "quatre-vingt",
    "quatre-vingt",
]


def spellings(language: str, number: int) -> Iterator[str]:
    """The number from 11 to 999 in words: as the language writes it, and with the parts apart as recognisers do."""
    match language:
        case "en":
            words = _english(number)
        case "pl":
            words = _polish(number)
        case "nb":
            words = _norwegian(number)
            yield words.replace(" ", "")
        case _:
            words = _french(number)
    yield words
    yield words.replace("-", " ")


def _english(number: int) -> str:
    if number >= 100:
        rest = f" and {_english(number % 100)}" if number % 100 else ""
        return f"{ENGLISH_UNITS[number // 100 - 1]} hundred{rest}"
    if number < 20:
        return ENGLISH_UNITS[number - 1]
    unit = f"-{ENGLISH_UNITS[number % 10 - 1]}" if number % 10 else ""
    return ENGLISH_TENS[number // 10 - 2] + unit


def _polish(number: int) -> str:
    if number >= 100:
        rest = f" {_polish(number % 100)}" if number % 100 else ""
        return POLISH_HUNDREDS[number // 100 - 1] + rest
    if number < 20:
        return POLISH_UNITS[number - 1]
    unit = f" {POLISH_UNITS[number % 10 - 1]}" if number % 10 else ""
    return POLISH_TENS[number // 10 - 2] + unit


def _norwegian(number: int) -> str:
    if number >= 100:
        rest = f" og {_norwegian(number % 100)}" if number % 100 else ""
        return f"{'ett' if number < 200 else NORWEGIAN_UNITS[number // 100 - 1]} hundre{rest}"
    if number < 20:
        return NORWEGIAN_UNITS[number - 1]
    unit = f" {NORWEGIAN_UNITS[number % 10 - 1]}" if number % 10 else ""
    return NORWEGIAN_TENS[number // 10 - 2] + unit


def _french(number: int) -> str:
    if number >= 100:
        rest = f" {_french(number % 100)}" if number % 100 else ""
        hundreds = f"{FRENCH_UNITS[number // 100 - 1]} " if number >= 200 else ""
        return f"{hundreds}cent{rest}"
    if number < 20:
        return FRENCH_UNITS[number - 1]
    tens, unit = divmod(number, 10)
    if tens in {7, 9}:
        unit += 10
    if unit == 0:
        return "quatre-vingts" if tens == 8 else FRENCH_TENS[tens - 2]
    joint = " et " if unit in {1, 11} and tens < 8 else "-"
    return FRENCH_TENS[tens - 2] + joint + FRENCH_UNITS[unit - 1]
