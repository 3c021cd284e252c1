"""A network that drops every packet: the end of what handlers ask themselves, and of sessions.

That needs a network of one's own, and so root.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.campaigns import dropped
from tests.helpers import ROOT

OWN_NETWORK = ["unshare", "--net"]
PROBE = "ip link add va type veth peer name vb"


def test_dropped_packets_end_what_waits_for_them(scratch: Path) -> None:
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if subprocess.run([*OWN_NETWORK, "sh", "-c", PROBE], capture_output=True).returncode:
        pytest.skip("a network of one's own needs root and CAP_NET_ADMIN")
    done = subprocess.run(
        [*OWN_NETWORK, sys.executable, dropped.__file__],
        capture_output=True,
        text=True,
        cwd=ROOT / "python",
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(json.dumps(found, indent=2))
    assert found["failed_after"].keys() == {*dropped.WAYS}
    assert all(5 < seconds < 20 for seconds in found["failed_after"].values())
    # The server has noticed as well, and keeps no transaction and no lock of them.
    assert found["server_ended_sessions_after"] < 25
    assert found["worked_again_after"] < 20
    # What was underway when it was given up does not arrive when packets do again.
    assert found["dispatched_after_it_was_given_up"] == 0
    assert found["check"] == []
    assert found["failed"] == [0, 0, 0]
