"""Pages where there is a lot: what they ask of the database, and how much of it they show."""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from symphony_pg import Client, Symphony
from tests.helpers import Connection
from tests.http.helpers import OPERATOR, bearer, serving
from tests.http.test_dashboard import BASE, asked, filled

__all__ = ["asked", "filled"]

QUEUE = {"queue_stats", "queue_holds", "failed_stats", "worker_activity", "queue_figures"}
ASKED = {
    "/": {"health", "queue_stats", "worker_activity", "failed_stats", "figures_by_minute"},
    "/failed": {"failed_stats"},
    "/failed?queue=mail": {"failed_stats"},
    "/failed/preview?queue=mail&type=A": {"failed_stats"},
    "/workers": {"worker_activity"},
    "/queue?name=mail": QUEUE | {"type_figures", "queue_settings", "blocked_keys", "list_messages"},
    "/queue/limits?name=mail": {"queue_stats", "queue_holds", "queue_settings"},
    "/queue/test?name=mail": {"queue_stats"},
    "/queue/purge?name=mail": {"purge_preview"},
    "/type?queue=mail&name=A": {"type_figures", "failed_stats", "list_messages"},
    "/schedules": {"schedule_status"},
    "/keys": {"blocked_keys"},
}


@pytest.fixture
def visitor(app: Symphony, filled: Client) -> Iterator[TestClient]:
    with serving(app) as made:
        made.headers.update(bearer(OPERATOR))
        yield made


@pytest.mark.parametrize("page", ASKED)
def test_a_page_asks_for_what_it_shows(visitor: TestClient, asked: list[str], page: str) -> None:
    assert visitor.get(BASE + page).status_code == 200
    names = [found[1] for each in asked if (found := re.search(r"symphony\.(\w+)", each))]
    assert len(names) == len(asked) == len({*names})
    assert {*names} == ASKED[page]


def test_pages_share_what_they_ask(visitor: TestClient, asked: list[str]) -> None:
    for page in (
        "/",
        "/workers",
        "/failed",
        "/",
        "/queue/test?name=mail",
        "/queue/limits?name=mail",
    ):
        assert visitor.get(BASE + page).status_code == 200
    assert len(asked) == len(ASKED["/"]) + len(ASKED["/queue/limits?name=mail"])
    assert visitor.get("/api/symphony/status").status_code in (200, 503)
    assert not any("symphony.health(" in each for each in asked[len(ASKED["/"]) :])


def many_queues(conn: Connection) -> None:
    conn.execute("select symphony.create_queue('z' || i) from generate_series(1000, 1119) as i")
    conn.execute("select symphony.enqueue('T', queue_name => 'z1119')")


def many_groups(conn: Connection) -> None:
    client = Client(conn)
    types = [*(f"T{number}" for number in range(1000, 1220)), "T1219"]
    client.enqueue_batch([{"message_type": each, "queue_name": "mail"} for each in types])
    for each in client.claim_batch(["mail"], batch_size=len(types)):
        client.nack_with_backoff(each.claim_id, each.message_id, "it broke", retryable=False)


def many_workers(conn: Connection) -> None:
    conn.execute("select symphony.heartbeat('w' || i, '{mail}') from generate_series(1000, 1219) i")
    conn.execute(
        "update symphony.worker set seen_at = now() - interval '30 s' where worker = 'w1219'"
    )


def many_schedules(conn: Connection) -> None:
    conn.execute(
        "select symphony.create_schedule('s' || i, 'T', 'cron', '{\"expression\": \"@daily\"}')"
        " from generate_series(1000, 1219) as i"
    )
    conn.execute("update symphony.schedule set next_run_at = now() where schedule_name = 's1219'")


@pytest.mark.parametrize(
    ("page", "fill", "shown", "told", "urgent", "other"),
    [
        ("/", many_queues, 100, "The 100 fullest of 123 queues.", "z1119", "z1118"),
        ("/failed", many_groups, 200, "The 200 largest of 221 groups.", "T1219", "T1218"),
        (
            *("/failed?queue=mail", many_groups, 200, "The 200 largest of 221 groups."),
            *("T1219", "T1218"),
        ),
        (
            *("/workers", many_workers, 200, "The 200 that need you most, of 222 workers."),
            *("w1219", "w1218"),
        ),
        (
            *("/schedules", many_schedules, 200, "The 200 that run next, of 221 schedules."),
            *("s1219", "s1218"),
        ),
    ],
)
def test_of_many_the_most_urgent_are_shown_and_others_found(
    visitor: TestClient,
    conn: Connection,
    page: str,
    fill: object,
    shown: int,
    told: str,
    urgent: str,
    other: str,
) -> None:
    assert callable(fill)
    fill(conn)

    def rows(path: str) -> list[str]:
        answer = visitor.get(BASE + path)
        assert answer.status_code == 200
        text = answer.text.split('id="failed"')[0]  # the overview has other tables, too
        assert ("Filter</button>" in text) and len(answer.text) < 500_000
        found = re.findall(r'<th scope="row">(.*?)</th>', text, re.DOTALL)
        return [re.sub(r"<[^>]*>", " ", each).split()[0] for each in found]

    first = rows(page)
    assert len(first) == shown and urgent in first[:2] and other not in first
    assert told in visitor.get(BASE + page).text
    join = "&" if "?" in page else "?"
    assert rows(f"{page}{join}find={other.lower()}") == [other]
    assert rows(f"{page}{join}find=no+such+thing") == []


def test_few_are_shown_as_they_are(visitor: TestClient) -> None:
    for page in ("/", "/failed", "/workers", "/schedules"):
        assert "Filter</button>" not in visitor.get(BASE + page).text


def test_of_many_incidents_the_first_are_shown_whole(visitor: TestClient, conn: Connection) -> None:
    many_queues(conn)
    conn.execute("select symphony.pause_queue('z' || i) from generate_series(1000, 1119) as i")
    text = visitor.get(f"{BASE}/").text
    assert text.count('<p class="sentence">') == 12
    (more,) = re.findall(r"<summary>(\d+) more</summary>", text)
    assert int(more) >= 108
    assert "symphony-pg doctor" in text and text.count("has been paused") <= 113
