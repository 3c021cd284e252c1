"""Obtain Chromium, without root: an installed one, or Debian's, downloaded and unpacked.

What it needs and this system lacks comes with it: libraries, and a font.
"""

import os
import shutil
from pathlib import Path

from fetch import debian
from fetch.build import BUILD, filled, starts

UNPACKED = BUILD / "chromium"
PACKAGES = ("chromium", "fontconfig-config", "fonts-inter", "fonts-dejavu-core")


def obtain() -> tuple[str, dict[str, str]] | None:
    """Return the program, and the environment in which it starts; None: it cannot be had here."""
    program, environment = shutil.which("chromium") or "", dict(os.environ)
    if not program:
        if not filled(UNPACKED, _unpack):
            return None
        program = str(UNPACKED / "usr/lib/chromium/chromium")
        folders = [
            each
            for place in ("usr/lib/*-linux-*", "lib/*-linux-*", "usr/lib/*-linux-*/pulseaudio")
            for each in UNPACKED.glob(place)
        ]
        environment |= {
            "LD_LIBRARY_PATH": ":".join(map(str, folders)),
            "FONTCONFIG_FILE": str(UNPACKED / "fonts.conf"),
        }
    return (program, environment) if starts([program], environment) else None


def _unpack(draft: Path) -> bool:
    if not debian.unpack_with_needs(PACKAGES, draft):
        return False
    Path(draft, "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{UNPACKED}/usr/share/fonts</dir><cachedir>{UNPACKED}/cache</cachedir>"
        "<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer>"
        "</alias>"
        "</fontconfig>"
    )
    return True
