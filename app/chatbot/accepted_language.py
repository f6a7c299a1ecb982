"""Which of our languages a browser would rather read."""

from app.survey import Languages

LONGEST_HEADER = 500


def preferred(header: str | None, languages: Languages) -> str | None:
    """The best of ``languages`` for an Accept-Language header: ``pl`` for ``pl-PL,en;q=0.8``; None if none is."""
    wanted: list[tuple[float, str]] = []
    for part in (header or "")[:LONGEST_HEADER].split(","):
        tag, _, quality = part.partition(";")
        wanted.append((_quality(quality), tag))
    wanted.sort(key=lambda each: -each[0])
    found = (languages.find(tag) for quality, tag in wanted if quality > 0)
    return next((language for language in found if language is not None), None)


def _quality(written: str) -> float:
    name, _, value = written.partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
