"""cron_next() against croniter, cronsim and a plain model of docs/cron.md.

Every case must agree with the model. Where croniter says something else, a named rule has to
recognise why; cronsim's opinion is counted beside it. Nothing may be left over.
"""

import os
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.helpers import ROOT, Connection
from tests.sessions.cron.case import UTC, ZONES
from tests.sessions.cron.dice import BYTES, a_batch
from tests.sessions.cron.model import changes, model
from tests.sessions.cron.oracles import NEXT_OR_PROBLEM, ask_croniter, ask_symphony
from tests.sessions.cron.rules import explain, second_opinion

LIST = ROOT / "build" / "cron-differences.tsv"
LIST_TITLES = "decided by\tcase\there\tcroniter\tcronsim sides with"
CASES = int(os.environ.get("CRON_CASES", "10000"))
BATCH = 50


def unlike_zones(conn: Connection) -> set[str]:
    """Return the zones of which server and Python know different changes of clocks."""
    moments = [
        (zone, at)
        for zone in ZONES
        for change in changes(zone)
        for at in (change - timedelta(seconds=1), change)
    ] + [
        (zone, datetime(year, month, 15, tzinfo=UTC))
        for zone in ZONES
        for year in range(1989, 2112)
        for month in range(1, 13)
    ]
    rows = conn.execute(
        """select at at time zone zone
           from unnest(%s::text[], %s::timestamptz[]) with ordinality as moment (zone, at, number)
           order by number""",
        [list(column) for column in zip(*moments, strict=True)],
    ).fetchall()
    return {
        zone
        for (zone, at), (local,) in zip(moments, rows, strict=True)
        if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local
    }


@pytest.mark.slow
def test_every_difference_from_croniter_is_explained(
    conn: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    conn.execute(NEXT_OR_PROBLEM)
    unlike = unlike_zones(conn)
    zones = [zone for zone in ZONES if zone not in unlike]
    compared: set[str] = set()
    differences: Counter[tuple[str, str]] = Counter()
    listed: set[str] = set()

    @settings(
        max_examples=CASES * 21 // 20 // BATCH + 1,  # a few cases are drawn twice
        derandomize="CRON_CASES" not in os.environ,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(min_size=BATCH * BYTES, max_size=BATCH * BYTES))
    def compare(data: bytes) -> None:
        batch = a_batch(data, zones)
        for case, ours in zip(batch, ask_symphony(conn, batch), strict=True):
            compared.add(repr(case))
            assert ours == model(case), f"{case}: the model says {model(case)}, not {ours}"
            theirs = ask_croniter(case, case.croniter_text())
            if theirs != ours:
                rule = explain(case, ours, theirs)
                assert rule, f"{case}: croniter says {theirs}, not {ours}"
                opinion = second_opinion(case, ours, theirs)
                differences[rule, opinion] += 1
                values = (rule, case, ours, theirs, opinion)
                listed.add("\t".join(map(str, values)))

    compare()

    LIST.write_text("\n".join([LIST_TITLES, *sorted(listed), ""]))
    with capsys.disabled():
        print(
            f"\n{len(compared)} cases, {differences.total()} differences, none unexplained; "
            f"each is listed in {LIST.relative_to(ROOT)}"
        )
        for rule in sorted({rule for rule, _ in differences}):
            opinions = {opinion: n for (name, opinion), n in differences.items() if name == rule}
            print(f"{sum(opinions.values()):6} {rule}; cronsim: {opinions}")
        if unlike:
            print(f"left out, for the time zone data differ: {', '.join(sorted(unlike))}")
    assert len(compared) >= CASES
