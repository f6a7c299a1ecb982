"""Rehearsed people: who picks up a phone or reads a message, and what they say."""

from app.rehearsal.people.aloud import Answers, Speaker, SpeakingCaller
from app.rehearsal.people.caller import (
    Caller,
    HeardPrompt,
    HungUp,
    ListeningFor,
    Nothing,
    Pickup,
    Pressed,
    Reaction,
    Spoken,
)
from app.rehearsal.people.phone import (
    AnsweringMachine,
    Correspondent,
    Phone,
    PhoneBook,
    PhoneFor,
    SilentCaller,
    in_real_time,
)
from app.rehearsal.people.random import Mood, Person, RandomCaller, RandomPhones
from app.rehearsal.people.scripted import ScriptedCaller, read_reaction, read_script

__all__ = [
    "AnsweringMachine",
    "Answers",
    "Caller",
    "Correspondent",
    "HeardPrompt",
    "HungUp",
    "ListeningFor",
    "Mood",
    "Nothing",
    "Person",
    "Phone",
    "PhoneBook",
    "PhoneFor",
    "Pickup",
    "Pressed",
    "RandomCaller",
    "RandomPhones",
    "Reaction",
    "ScriptedCaller",
    "SilentCaller",
    "Speaker",
    "SpeakingCaller",
    "Spoken",
    "in_real_time",
    "read_reaction",
    "read_script",
]
