from collections.abc import Callable

import httpx
import pytest

from app.carrier import Carrier
from app.carrier.recording import MAX_BYTES
from app.errors import CarrierBusy, CarrierMisconfigured, CarrierRefused
from tests.carrier.peer import ACCOUNT_SID, RECORDING_SID, Peer, Reply

MakeCarrier = Callable[..., Carrier]
AUDIO = b"RIFF....WAVEfmt "
PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{RECORDING_SID}"


def moved(to: str) -> Reply:
    return Reply(302, headers={"Location": to})


@pytest.mark.parametrize(
    "recording", [RECORDING_SID, f"https://api.twilio.com{PATH}", f"https://elsewhere.example{PATH}.mp3"]
)
async def test_a_recording_is_fetched_as_wav_with_our_credentials_from_the_carrier_only(
    carrier_at: MakeCarrier, recording: str
) -> None:
    async with Peer(Reply(200, AUDIO)) as peer:
        assert await carrier_at(peer.url).fetch_recording(recording) == AUDIO
        [seen] = peer.seen
    assert (seen.method, seen.target) == ("GET", PATH + ".wav")
    assert seen.headers["authorization"].startswith("Basic ")


async def test_our_credentials_do_not_follow_a_redirect_to_another_host(carrier_at: MakeCarrier) -> None:
    async with Peer(Reply(200, AUDIO)) as storage, Peer(moved(f"{storage.url}/a.wav?X-Signature=1")) as peer:
        assert await carrier_at(peer.url).fetch_recording(RECORDING_SID) == AUDIO
        assert "authorization" in peer.seen[0].headers
        assert storage.seen[0].target == "/a.wav?X-Signature=1"
        assert "authorization" not in storage.seen[0].headers


async def test_a_redirect_within_the_carrier_keeps_them(carrier_at: MakeCarrier) -> None:
    async with Peer(moved("/media/a.wav"), Reply(200, AUDIO)) as peer:
        assert await carrier_at(peer.url).fetch_recording(RECORDING_SID) == AUDIO
        assert [("authorization" in seen.headers, seen.target) for seen in peer.seen] == [
            (True, PATH + ".wav"),
            (True, "/media/a.wav"),
        ]


async def test_redirects_in_a_circle_come_to_an_end(carrier_at: MakeCarrier) -> None:
    async with Peer(moved(PATH + ".wav")) as peer:
        with pytest.raises(CarrierRefused, match="redirects"):
            await carrier_at(peer.url).fetch_recording(RECORDING_SID)
        assert len(peer.seen) == 4


@pytest.mark.parametrize("target", ["http://storage.example/a.wav", "file:///etc/passwd"])
async def test_a_recording_is_not_fetched_in_the_clear_after_https(
    carrier_at: MakeCarrier, target: str
) -> None:
    sent: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url)
        return httpx.Response(302, headers={"Location": target})

    with pytest.raises(CarrierRefused, match="https"):
        await carrier_at("https://api.twilio.com", httpx.MockTransport(answer)).fetch_recording(RECORDING_SID)
    assert [url.host for url in sent] == ["api.twilio.com"]


async def test_a_recording_that_is_not_there_yet_is_tried_again(carrier_at: MakeCarrier) -> None:
    async with Peer(Reply(404)) as peer:
        with pytest.raises(CarrierBusy) as caught:
            await carrier_at(peer.url).fetch_recording(RECORDING_SID)
        assert caught.value.http_status == 404


async def test_a_recording_that_we_may_not_read_is_a_wrong_setting(carrier_at: MakeCarrier) -> None:
    async with Peer(Reply(401)) as peer:
        with pytest.raises(CarrierMisconfigured):
            await carrier_at(peer.url).fetch_recording(RECORDING_SID)


async def test_a_recording_beyond_all_measure_is_refused(carrier_at: MakeCarrier) -> None:
    async with Peer(Reply(200, bytes(MAX_BYTES + 1))) as peer:
        with pytest.raises(CarrierRefused, match="larger"):
            await carrier_at(peer.url).fetch_recording(RECORDING_SID)


@pytest.mark.parametrize("recording", ["", f"{PATH}/../../Calls", "http://169.254.169.254/latest/meta-data"])
async def test_an_address_that_names_no_recording_is_not_asked(
    carrier_at: MakeCarrier, recording: str
) -> None:
    async with Peer(Reply(200, AUDIO)) as peer:
        with pytest.raises(CarrierRefused):
            await carrier_at(peer.url).fetch_recording(recording)
        assert peer.seen == []
