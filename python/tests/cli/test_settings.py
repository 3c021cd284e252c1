"""What can be set of a queue, a retry policy or a schedule can be set wherever it is set at all."""

from inspect import signature

from symphony_pg.cli.policy import policy
from symphony_pg.cli.queue import queue
from symphony_pg.config.settings import QUEUE, RETRY
from symphony_pg.database.functions import configure_queue, create_queue, set_retry_policy


def test_a_setting_of_a_queue_is_known_everywhere() -> None:
    settings = {*signature(create_queue).parameters} - {"queue_name"}
    assert {*signature(configure_queue).parameters} - {"queue_name"} == settings
    assert {kind.name for kind in QUEUE.values()} == settings
    shared = {"name", "dsn", "json"}
    for command in ("create", "configure"):
        options = {each.name for each in queue.commands[command].params}
        assert options - shared == settings


def test_a_setting_of_a_retry_policy_is_known_everywhere() -> None:
    settings = {*signature(set_retry_policy).parameters} - {"pattern", "queue_name"}
    assert {kind.name for kind in RETRY.values()} == settings
    options = {each.name for each in policy.commands["set"].params}
    assert options - {"pattern", "dsn", "json"} == settings
