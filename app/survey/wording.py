"""What a language says: every prompt by name, its variants by channel, and the words of buttons and pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

from app.survey.turn import Ask, Prompt
from app.survey.vocabulary import Vocabulary

DEFAULT = "default"
WRITTEN = "text"
MESSAGES = ("sms", "whatsapp")

PLACEHOLDERS = frozenset({"brand", "score"})


@dataclass(frozen=True)
class Button:
    """A quick reply: what it shows, and what it sends as if the person had written it."""

    title: str
    payload: str


@dataclass(frozen=True)
class PromptTexts:
    """One prompt's texts by channel. ``placeholders`` are the values that any of them uses."""

    variants: Mapping[str, str]

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """The names inside curly brackets, sorted."""
        return tuple(sorted({name for text in self.variants.values() for name in placeholders(text)}))

    def variant(self, channel: str) -> str:
        """The text for a channel: its own, else for messages the ``text`` one, else the default, else nothing."""
        names = (channel, WRITTEN, DEFAULT) if channel in MESSAGES else (channel, DEFAULT)
        return next((self.variants[name] for name in names if name in self.variants), "")


@dataclass(frozen=True, eq=False)
class Wording:
    """One language of a flow.

    ``language`` is the file's name (pl), ``aliases`` are what else people call it (pol, polski), ``locale`` is the
    BCP 47 tag for pages (pl-PL), ``voice`` and ``speech_language`` the carrier's names for its voice and its
    recogniser's language.
    """

    language: str
    version: str
    locale: str
    voice: str
    speech_language: str
    responses: Mapping[str, PromptTexts]
    replies: Mapping[str, Button]
    labels: Mapping[str, str]
    vocabulary: Vocabulary
    aliases: tuple[str, ...] = ()

    def prompt(self, name: str, values: Mapping[str, str]) -> Prompt:
        """The prompt ``name`` with those of the values that its wording uses."""
        return Prompt(name, tuple((key, values[key]) for key in self.responses[name].placeholders))

    def text(self, prompt: Prompt, channel: str) -> str:
        """What ``channel`` (voice, sms, whatsapp, chat) says for the prompt; empty where it says nothing."""
        return self.responses[prompt.name].variant(channel).format_map(dict(prompt.values))

    def buttons(self, ask: Ask) -> tuple[Button, ...]:
        """The quick replies to a question: 0 to 10, yes and no, skip."""
        named = [each for each in ("yes", "no") if ask.kind == "yes_no" or (each == "yes" and ask.read_back)]
        scores = [Button(str(number), str(number)) for number in range(11)] if ask.kind == "score" else []
        skip = [self.replies["skip"]] if ask.optional and ask.kind == "comment" else []
        return (*(self.replies[each] for each in named), *scores, *skip)


def placeholders(text: str) -> frozenset[str]:
    """The names inside curly brackets. Raises `ValueError` for brackets that cannot be filled in."""
    names = set()
    for _, name, form, conversion in Formatter().parse(text):
        if name is None:
            continue
        if name not in PLACEHOLDERS or form or conversion:
            raise ValueError(f"{{{name}}} is not one of {', '.join(sorted(PLACEHOLDERS))}")
        names.add(name)
    return frozenset(names)
