"""`zeroten doctor` names what is missing, and how to get it."""

import io
import shutil
import tempfile
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from app.audio import Sound, write_wav
from app.cli.checks import Check
from app.cli.doctor import examine, run_doctor
from app.config import Settings, load_flows
from app.prompts.inventory import needed_by
from app.store import database, embedded

READY = {
    "public_url": "https://nps.example",
    "twilio_account_sid": "AC0123",
    "twilio_auth_token": SecretStr("token-of-a-test"),
    "twilio_from": "+48221234567",
}


def checks(settings: Settings) -> dict[str, Check]:
    return {check.name: check for check in examine(settings)}


def report(settings: Settings) -> tuple[int, str]:
    written = io.StringIO()
    return run_doctor(settings, Console(file=written, width=100)), written.getvalue()


def test_a_machine_with_everything_is_well(settings: Settings) -> None:
    code, text = report(settings.model_copy(update=READY))
    assert (code, "✗" in text) == (0, False), text
    assert "All is well." in text
    assert "token-of-a-test" not in text


def test_missing_settings_are_named_with_what_to_do(settings: Settings) -> None:
    code, text = report(settings)
    assert code == 1
    assert "2 to mend" in text
    assert "ZEROTEN_TWILIO_AUTH_TOKEN" in text
    assert "ZEROTEN_PUBLIC_URL" in text


@pytest.mark.parametrize("url", ["http://nps.example", "https://localhost", "https://127.0.0.1:8000"])
def test_an_address_that_twilio_cannot_reach_is_found(settings: Settings, url: str) -> None:
    assert not checks(settings.model_copy(update={"public_url": url}))["public address"].ok


def test_a_carrier_on_this_machine_may_call_back_on_it(settings: Settings) -> None:
    local = settings.model_copy(update={"twilio_api_url": "http://127.0.0.1:9000"})
    assert checks(local)["public address"].ok


def test_a_database_that_is_away_is_one_check_and_hides_its_password(settings: Settings) -> None:
    away = SecretStr("postgresql://anna:hush-hush@127.0.0.1:1/nps")
    code, text = report(settings.model_copy(update={"database_url": away}))
    assert code == 1
    assert "anna@127.0.0.1:1/nps" in text
    assert "hush-hush" not in text


def test_the_migrations_of_a_newer_zeroten_are_found(settings: Settings, database_url: str) -> None:
    with database.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_later'")
    assert "9999_later" in checks(settings)["migrations"].remedy


def test_a_broken_flow_file_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "nps.yml").write_text("flows: [")
    found = checks(settings.model_copy(update={"flows_dir": tmp_path}))["flow files"]
    assert not found.ok
    assert "nps.yml" in found.detail


def test_where_answers_go_is_told_and_a_mistake_in_the_crm_file_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    assert "CRM" not in checks(settings), "answers may stay here"
    path = tmp_path / "crm.yml"
    path.write_text(f"ours: {{connector: webhook, url: 'https://hooks.example', secret: whsec_{'A' * 32}}}")
    found = checks(settings.model_copy(update={"crm_file": path}))["CRM"]
    assert (found.ok, found.detail) == (True, "answers go to ours")
    path.write_text("ours: {connector: webhok}")
    found = checks(settings.model_copy(update={"crm_file": path}))["CRM"]
    assert not found.ok
    assert "crm.yml: ours.connector: must be one of" in found.detail


def test_where_keys_go_unheard_for_want_of_recordings_is_told(settings: Settings, tmp_path: Path) -> None:
    assert "prompts of streams" not in checks(settings), "the carrier hears keys at any time"
    local = settings.model_copy(
        update={"recognition": "local", "prompts_dir": tmp_path, "brand": "Northwind"}
    )
    found = checks(local)["prompts of streams"]
    assert found.ok
    assert "en " in found.detail
    assert "keys pressed while the carrier's voice reads a question are not heard" in found.remedy
    assert "zeroten prompts render" in found.remedy
    flows = load_flows(settings.flows_dir).values()
    for language in next(iter(flows)).languages:
        (tmp_path / language).mkdir()
        for name in needed_by(flows, language, ["Northwind"]):
            (tmp_path / language / f"{name}.wav").write_bytes(write_wav(Sound(bytes(320))))
    assert checks(local)["prompts of streams"] == Check(
        "prompts of streams", True, "all recorded: keys are heard at any time"
    )


def test_ffmpeg_is_worth_knowing_and_never_missing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = checks(settings)["ffmpeg"]
    assert (found.ok, found.detail) == (True, "not installed: recordings have to be WAV files")
    assert found.remedy.endswith("apt-get install ffmpeg, or brew install ffmpeg")
    (tmp_path / "ffmpeg").write_text("")
    (tmp_path / "ffmpeg").chmod(0o755)
    found = checks(settings)["ffmpeg"]
    assert found == Check(
        "ffmpeg", True, f"{tmp_path}/ffmpeg: recordings may be MP3, Ogg, M4A and FLAC files too"
    )


def test_a_guessable_admin_key_and_an_unknown_time_zone_are_found(settings: Settings) -> None:
    update = {"admin_key": SecretStr("letmein"), "reporting_timezone": "Europe/Nowhere"}
    found = checks(settings.model_copy(update=update))
    assert not found["admin key"].ok
    assert not found["time zones"].ok


def test_a_data_directory_that_cannot_be_is_found(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not checks(settings.model_copy(update={"data_dir": tmp_path / "file" / "data"}))[
        "data directory"
    ].ok


def test_without_a_url_the_embedded_database_is_tried_and_stopped_again() -> None:
    data_dir = Path(tempfile.mkdtemp(prefix="zeroten-"))
    try:
        found = checks(Settings(_env_file=None, data_dir=data_dir))
        assert found["database"].ok
        assert found["migrations"].detail.startswith("none yet")
        assert not (data_dir / "postgres" / "postmaster.pid").exists()
    finally:
        shutil.rmtree(data_dir)


def test_a_data_directory_too_long_for_a_socket_is_found_before_anything_is_started(tmp_path: Path) -> None:
    found = checks(Settings(_env_file=None, data_dir=tmp_path / ("x" * embedded.LONGEST_DATA_DIR)))
    assert "too long" in found["embedded PostgreSQL"].detail
    assert "database" not in found
    assert not list(tmp_path.iterdir())


def test_a_recorded_prompt_that_cannot_be_played_is_found(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "prompts" / "en").mkdir(parents=True)
    (tmp_path / "prompts" / "en" / "goodbye.wav").write_bytes(b"ID3")
    found = checks(settings.model_copy(update={"prompts_dir": tmp_path / "prompts"}))["recorded prompts"]
    assert "goodbye.wav: is an MP3 file" in found.detail
