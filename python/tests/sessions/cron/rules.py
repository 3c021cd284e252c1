"""Where croniter differs, and why."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.sessions.cron.case import NEVER, Case
from tests.sessions.cron.model import changes, is_repetition, month_length
from tests.sessions.cron.oracles import ask_croniter, ask_cronsim, ask_respelled


def reading(case: Case, theirs: datetime | str, respelled: datetime | str) -> str | None:
    """Name what croniter reads differently, or refuses to read."""
    items = [item for field in case.fields for item in field]
    oddities = {item.oddity for item in items}
    if isinstance(theirs, str) and theirs != NEVER:
        if case.specials(3) and oddities & {"LW", "L-3"}:
            return "croniter does not know LW and L-3"
        if "'W' can only be used with a single day" in theirs:
            return "croniter takes 15W only alone"
        if "does not support mixing literal values and nth" in theirs:
            return "croniter does not mix FRI with FRI#2 or 5L"
        return None
    if case.either_day and (case.specials(5) or any("W" in s for s in case.specials(3))):
        return "croniter joins 15W, FRI#2 and 5L to the other day field by AND"
    if case.specials(5) and case.values(5):
        return "croniter forgets FRI beside FRI#2 or 5L"
    if "L" in case.specials(3) and len(case.values(3)) == 30:
        return "croniter takes 30 days and L for every day"
    both = ("equal bounds", "step across the turn")
    for plain, name in (
        (both[:1], "croniter takes 5-5 for the whole field"),
        (both[1:], "croniter counts a step across the turn one too far"),
        (both, "croniter takes 5-5 for the whole field and counts a step across the turn too far"),
    ):
        if ask_croniter(case, case.croniter_text(*plain)) == respelled:
            return name
    if ask_croniter(case, case.croniter_text(*both), day_or=False) == respelled and any(
        case.fields[field][0].text.upper().startswith("H/") for field in (3, 5)
    ):
        return "H/n is an unrestricted field, as */n is; to croniter it is a plain list"
    return None


def clocks(case: Case, ours: datetime | str, theirs: datetime | str) -> str | None:
    """Name the rule by which croniter, given plain lists, still comes to another moment."""
    if isinstance(theirs, str):
        return None
    local = theirs.astimezone(ZoneInfo(case.zone))
    too_long = [
        s for s in case.specials(3) if "1" <= s[0] <= "9" and int(s[:-1]) > month_length(local)
    ]
    if too_long and (isinstance(ours, str) or ours > theirs):
        return "croniter moves 31W into a shorter month"
    if isinstance(ours, str):
        return None
    if not case.is_frequent and is_repetition(theirs, case.zone) and ours > theirs:
        return "croniter runs a fixed time again when it is repeated"
    if case.is_frequent and is_repetition(ours, case.zone) and ours < theirs:
        return "croniter misses the repetition of a frequent job"
    if ours in changes(case.zone) and theirs == ours + timedelta(seconds=min(case.values(0))):
        return "croniter keeps the second of a run that it moves out of a gap"
    return None


def explain(case: Case, ours: datetime | str, theirs: datetime | str) -> str | None:
    """Name the rules that lead from croniter's answer to ours; None if they do not."""
    respelled = ask_respelled(case)
    if isinstance(respelled, str) and respelled != NEVER:
        return reading(case, theirs, respelled)  # nothing but the model can tell
    names = []
    if theirs != respelled:
        names.append(reading(case, theirs, respelled))
    if respelled != ours:
        names.append(clocks(case, ours, respelled))
    return None if None in names else "; ".join(filter(None, names))


def second_opinion(case: Case, ours: datetime | str, theirs: datetime | str) -> str:
    """Say whom cronsim agrees with."""
    opinion = ask_cronsim(case)
    if opinion == ours:
        return "ours"
    if opinion == theirs:
        return "croniter's"
    return "refused" if isinstance(opinion, str) and opinion != NEVER else "another"
