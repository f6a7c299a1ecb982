"""A program that pydub starts in ffmpeg's place: it sets bounds, and then becomes ffmpeg.

Its arguments: after how many seconds the system ends it, ffmpeg's path, and what ffmpeg is told. ffmpeg then stops at
the first error, and reads files and pipes only: nothing in a file makes it open an address.
"""

import os
import signal
import sys
from typing import NoReturn

BOUNDS = ("-nostdin", "-v", "error", "-xerror", "-protocol_whitelist", "file,pipe")


def become_ffmpeg(seconds: str, ffmpeg: str, *arguments: str) -> NoReturn:
    """Replace this process by ffmpeg; the alarm goes on."""
    signal.alarm(int(seconds))
    os.execv(ffmpeg, [ffmpeg, *BOUNDS, *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    become_ffmpeg(*sys.argv[1:])
