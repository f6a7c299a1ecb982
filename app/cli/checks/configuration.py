"""The operator's settings and files."""

from pathlib import Path
from urllib.parse import urlsplit

from app.alerts import read_alerts
from app.cli.checks import Check
from app.config import Settings, load_flows
from app.crm import chosen_destinations
from app.errors import StartError
from app.services import CRMS

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def check_flows(flows_dir: Path) -> Check:
    """Whether the flow files can be read."""
    try:
        flows = load_flows(flows_dir)
    except StartError as error:
        return Check("flow files", False, str(error), "correct the file; the message names it and the key")
    return Check("flow files", True, ", ".join(sorted(flows)))


def check_twilio(settings: Settings) -> Check:
    """Whether there is an account to call from."""
    given = {
        "ZEROTEN_TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "ZEROTEN_TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
        "ZEROTEN_TWILIO_FROM": settings.twilio_from,
    }
    missing = [name for name, value in given.items() if not value]
    if missing:
        return Check("Twilio", False, "no account is set", f"set {', '.join(missing)}; make demo needs none")
    return Check("Twilio", True, f"calls from {settings.twilio_from} through {settings.twilio_api_url}")


def check_public_url(settings: Settings) -> Check:
    """Whether Twilio can reach the public address."""
    name, url = "public address", urlsplit(settings.public_url)
    if urlsplit(settings.twilio_api_url).hostname in LOOPBACK:
        return Check(name, True, f"{settings.public_url}, for the carrier on this machine")
    if url.scheme != "https" or url.hostname in LOOPBACK:
        remedy = "set ZEROTEN_PUBLIC_URL to the https address at which Twilio reaches this server"
        return Check(name, False, settings.public_url, remedy)
    return Check(name, True, settings.public_url)


def check_destinations(settings: Settings) -> Check:
    """Which destinations take answers."""
    name = "CRM"
    try:
        chosen = chosen_destinations(settings, CRMS)
    except StartError as error:
        return Check(name, False, str(error), "correct it; the message names what is wrong")
    remedy = "worth knowing: zeroten crm test NAME shows whether one takes answers"
    return Check(name, True, f"answers go to {', '.join(chosen)}", remedy)


def check_alerts(settings: Settings, path: Path) -> Check:
    """Whether the alerts' file can be read."""
    name = "alerts"
    try:
        read = read_alerts(path, settings)
    except StartError as error:
        return Check(name, False, str(error), "correct the file; the message names it and the key")
    return Check(name, True, f"{len(read.rulebook.rules)} rules, {len(read.services)} recipients")


def check_admin_key(settings: Settings) -> Check:
    """Whether an admin key is set, and long enough."""
    if settings.admin_key is None:
        return Check("admin key", True, "none", "worth knowing: make keys with zeroten keys create")
    short = len(settings.admin_key.get_secret_value()) < 24
    remedy = "use 24 characters or more, such as: openssl rand -hex 24" if short else ""
    return Check("admin key", not short, "set" if not short else "too easy to guess", remedy)
