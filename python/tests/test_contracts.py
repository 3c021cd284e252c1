"""The lint finds contracts that are torn, or that tell other arguments than there are."""

import pytest

import contracts
from lint_sql import arguments, results

WHOLE = """\
When a cron expression runs next.

Arguments  expression - minute, hour, day of month, month, weekday, perhaps with the second in
               front
           after, until - the run is between these
Returns    the moment, never null
Raises     22023 invalid_parameter_value - the expression cannot be read
           SY001 unknown_queue
           what enqueue() raises
Access     producer, operator"""

# As a re-wrap once left it.
TORN = """\
When a cron expression runs next.

Arguments  expression - minute, hour; after
-
           the run is later than this; hash_key - what H
is
           drawn from
Returns    the moment, never null
Access     producer"""


def test_a_contract_is_read() -> None:
    contract = contracts.read(WHOLE)
    assert contract.summary == "When a cron expression runs next."
    assert contract.arguments == {
        "expression": "minute, hour, day of month, month, weekday, "
        "perhaps with the second in front",
        "after": "the run is between these",
        "until": "the run is between these",
    }
    assert contract.raises == {
        "22023": ("invalid_parameter_value", "the expression cannot be read"),
        "SY001": ("unknown_queue", ""),
    }
    assert contract.raises_as == ["enqueue"]
    assert contract.part("Access") == ["producer, operator"]
    assert [*contracts.problems(WHOLE)] == []
    assert [*contracts.told(contract, ["expression", "after", "until"], is_public=True)] == []


def test_a_torn_contract_is_found() -> None:
    assert [line for line, _ in contracts.problems(TORN)] == [3, 5]
    assert [*contracts.told(contracts.read(TORN), ["expression"], is_public=False)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "perhaps with the second in\n               front",
            "perhaps\n               with the second",
        ),
        ("next.", "\nnext."),
        ("           SY001", "      SY001"),
        ("Raises ", "Throws "),
        ("minute", 90 * "m"),
    ],
)
def test_a_broken_line_is_found(before: str, after: str) -> None:
    assert [*contracts.problems(WHOLE.replace(before, after))]


def test_arguments_are_compared() -> None:
    contract = contracts.read(WHOLE)
    assert [*contracts.told(contract, ["expression", "after"], is_public=False)] == [
        "has no argument 'until'"
    ]
    more = ["expression", "after", "until", "timezone"]
    assert [*contracts.told(contract, more, is_public=False)] == []
    assert [*contracts.told(contract, more, is_public=True)] == [
        "does not tell the argument timezone"
    ]


def test_a_signature_is_read() -> None:
    signature = "inout a text default 'x, y', b numeric(3, 1), out c integer, variadic d text[]"
    assert arguments(signature) == ["a", "b", "d"]
    assert results(
        signature, "returns table (e text,\n    f numeric(3, 1)\n)\nlanguage sql"
    ) == list("acef")
