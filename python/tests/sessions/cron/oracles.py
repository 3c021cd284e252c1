"""Who is asked: cron_next(), croniter and cronsim."""

from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, CroniterError, croniter
from cronsim import CronSim, CronSimError

from tests.helpers import Connection
from tests.sessions.cron.case import NEVER, SIZE, UTC, Case


def ask_symphony(conn: Connection, batch: list[Case]) -> list[datetime | str]:
    """Return what cron_next() says to each case, in one query."""
    columns = zip(*((case.text(), case.after, case.zone, case.key) for case in batch), strict=True)
    rows = conn.execute(
        """select run_at, problem
           from unnest(%s::text[], %s::timestamptz[], %s::text[], %s::text[])
               with ordinality as given (expression, after, timezone, hash_key, number),
                pg_temp.next_or_problem(expression, after, timezone, hash_key)
           order by number""",
        [list(column) for column in columns],
    ).fetchall()
    return [run_at.astimezone(UTC) if run_at else problem for run_at, problem in rows]


NEXT_OR_PROBLEM = """
create function pg_temp.next_or_problem(expression text, after timestamptz, timezone text,
                                        hash_key text, out run_at timestamptz, out problem text)
language plpgsql as $$
begin
    run_at := symphony.cron_next(expression, after, timezone, hash_key);
exception
    when invalid_parameter_value then
        problem := case when sqlerrm like '%never runs' then 'never' else sqlerrm end;
end;
$$"""


def ask_croniter(case: Case, expression: str, *, day_or: bool = True) -> datetime | str:
    """Return what croniter says, told to treat a star as Vixie cron does."""
    start = case.after.astimezone(ZoneInfo(case.zone))
    try:
        found: datetime = croniter(
            expression,
            start,
            datetime,
            day_or=day_or,
            second_at_beginning=True,
            implement_cron_bug=True,
        ).get_next()
    except CroniterBadDateError:
        return NEVER
    except CroniterError as problem:
        return f"{type(problem).__name__}: {problem}"
    return found.astimezone(UTC)


def ask_cronsim(case: Case) -> datetime | str:
    """Return what cronsim says, which knows no question mark."""
    start = case.after.astimezone(ZoneInfo(case.zone))
    try:
        return next(CronSim(case.croniter_text().replace("?", "*"), start)).astimezone(UTC)
    except StopIteration:
        return NEVER
    except CronSimError as problem:
        return f"CronSimError: {problem}"


def ask_respelled(case: Case) -> datetime | str:
    """Return what croniter says if each field is a plain list, and OR is left to us."""

    def spell(field: int) -> list[str]:
        if not case.specials(field) and len(case.values(field)) == SIZE[field]:
            return ["*"]
        plain = [",".join(map(str, case.values(field)))] if case.values(field) else []
        return plain + [f"L{s[0]}" if s[1:] == "L" else s for s in case.specials(field)]

    second, minute, hour, month = (spell(field)[0] for field in (0, 1, 2, 4))
    days, weekdays = spell(3), spell(5)
    if case.either_day:
        pairs = [(day, "*") for day in days] + [("*", weekday) for weekday in weekdays]
    else:
        pairs = [(day, weekday) for day in days for weekday in weekdays]
    answers = [
        ask_croniter(case, f"{second} {minute} {hour} {day} {month} {weekday}", day_or=False)
        for day, weekday in pairs
    ]
    if problems := [a for a in answers if isinstance(a, str) and a != NEVER]:
        return problems[0]
    return min((a for a in answers if isinstance(a, datetime)), default=NEVER)
