from urllib.parse import urlparse

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator, add_port, remove_port

from app.carrier import SignatureChecker, sign
from app.errors import StartError

TOKEN = "12345"
FORM = {"CallSid": "CA1234567890ABCDE", "Digits": "10", "From": "+14158675309", "SpeechResult": "dziewięć"}

tokens = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=40)
forms = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=8)
hosts = st.sampled_from(["zeroten.example", "127.0.0.1", "a-b.c.example", "[::1]"])
ports = st.sampled_from(["", ":80", ":443", ":8000", ":8443"])
words = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6)
paths = st.lists(words, max_size=3).map(lambda parts: "".join("/" + part for part in parts))
queries = st.lists(st.tuples(words, words), min_size=1, max_size=3).map(
    lambda pairs: "?" + "&".join(f"{name}={value}" for name, value in pairs)
)
rests = st.tuples(paths.filter(bool), st.just("") | queries).map("".join)


@st.composite
def public_urls(draw: st.DrawFn) -> str:
    host, port = draw(hosts), draw(ports)
    # The library cuts an address at its first colon, so it has no right answer for IPv6 with a port.
    assume(not (host.startswith("[") and port))
    return f"{draw(st.sampled_from(['http', 'https']))}://{host}{port}{draw(paths)}"


@given(public_urls(), rests, forms, tokens)
def test_a_signature_is_the_one_twilios_library_computes(
    url: str, rest: str, form: list[tuple[str, str]], token: str
) -> None:
    ours = sign(url + rest, form, token)
    assert ours == RequestValidator(token).compute_signature(url + rest, ImmutableMultiDict(form))
    assert SignatureChecker([token], url).check(rest, form, ours)


@given(public_urls(), rests, forms, forms, tokens)
def test_the_verdict_is_the_one_of_twilios_library(
    url: str, rest: str, form: list[tuple[str, str]], other: list[tuple[str, str]], token: str
) -> None:
    signature = sign(url + rest, other, token)
    theirs = RequestValidator(token).validate(url + rest, ImmutableMultiDict(form), signature)
    assert SignatureChecker([token], url).check(rest, form, signature) == theirs


@given(public_urls(), rests, forms)
def test_twilio_may_sign_with_or_without_the_port(url: str, rest: str, form: list[tuple[str, str]]) -> None:
    for spelling in (add_port, remove_port):
        signature = sign(spelling(urlparse(url + rest)), form, TOKEN)
        assert SignatureChecker([TOKEN], url).check(rest, form, signature)


def test_the_example_in_twilios_documentation_passes() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    checker = SignatureChecker(["12345"], "https://mycompany.com")
    assert checker.check("/myapp.php?foo=1&bar=2", form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


def test_a_changed_field_path_query_or_token_fails() -> None:
    checker = SignatureChecker([TOKEN], "https://zeroten.example")
    signature = sign("https://zeroten.example/twilio/voice?n=1", FORM, TOKEN)
    assert checker.check("/twilio/voice?n=1", FORM, signature)
    assert not checker.check("/twilio/voice?n=1", FORM | {"Digits": "9"}, signature)
    assert not checker.check("/twilio/voice?n=2", FORM, signature)
    assert not checker.check("/twilio/status?n=1", FORM, signature)
    assert not SignatureChecker(["54321"], "https://zeroten.example").check(
        "/twilio/voice?n=1", FORM, signature
    )


@pytest.mark.parametrize("signature", [None, "", "AAAA", "ł" * 28, "\udcff", "RSOYDt4T1cUTdK1PDd93/VVr8B8= "])
def test_a_missing_or_malformed_signature_fails(signature: str | None) -> None:
    assert not SignatureChecker([TOKEN], "https://zeroten.example").check("/twilio/voice", FORM, signature)


def test_without_a_token_nothing_passes() -> None:
    for given_tokens in ([], [""]):
        checker = SignatureChecker(given_tokens, "https://zeroten.example")
        signature = sign("https://zeroten.example/twilio/voice", FORM, "")
        assert not checker.check("/twilio/voice", FORM, signature)
        assert not checker.check_handshake(
            "/twilio/stream", sign("wss://zeroten.example/twilio/stream", (), "")
        )


def test_while_the_token_is_changed_both_pass() -> None:
    checker = SignatureChecker(["new", "old"], "https://zeroten.example")
    for token in ("new", "old"):
        assert checker.check("/twilio/voice", FORM, sign("https://zeroten.example/twilio/voice", FORM, token))
    assert not checker.check(
        "/twilio/voice", FORM, sign("https://zeroten.example/twilio/voice", FORM, "older")
    )


def test_a_public_url_with_a_path_or_a_trailing_slash_is_put_before_the_requests_path() -> None:
    signature = sign("https://example.com/survey/twilio/voice", FORM, TOKEN)
    for public_url in ("https://example.com/survey", "https://example.com/survey/"):
        assert SignatureChecker([TOKEN], public_url).check("/twilio/voice", FORM, signature)


def test_a_public_url_with_a_user_and_a_port_passes_where_the_library_fails() -> None:
    public_url = "https://user:pass@zeroten.example:8443"
    checker = SignatureChecker([TOKEN], public_url)
    for base in (public_url, "https://user:pass@zeroten.example"):
        assert checker.check("/twilio/voice", FORM, sign(base + "/twilio/voice", FORM, TOKEN))


def test_a_handshake_is_signed_over_the_websocket_address() -> None:
    checker = SignatureChecker([TOKEN], "https://zeroten.example")
    for base in ("wss://zeroten.example", "wss://zeroten.example:443"):
        assert checker.check_handshake("/twilio/stream", sign(base + "/twilio/stream", (), TOKEN))
    assert not checker.check_handshake(
        "/twilio/stream", sign("https://zeroten.example/twilio/stream", (), TOKEN)
    )
    assert not checker.check("/twilio/stream", (), sign("wss://zeroten.example/twilio/stream", (), TOKEN))


@pytest.mark.parametrize("address", ["", "zeroten.example", "ftp://zeroten.example", "https://"])
def test_a_public_url_that_is_none_stops_the_start(address: str) -> None:
    with pytest.raises(StartError, match="ZEROTEN_PUBLIC_URL"):
        SignatureChecker([TOKEN], address)
