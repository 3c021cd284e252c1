/*
 * Something that is wrong now, as health() tells it: a sentence, what is behind it, and the command
 * that helps.  The functions of the topic "health" find one kind each and return rows of this type.
 */
create type symphony.incident as (
    severity text,
    code     text,
    subject  text,
    sentence text,
    since    timestamptz,
    cause    text,
    command  text
);

comment on type symphony.incident is 'Something that is wrong now; see health().';
comment on column symphony.incident.severity is
'critical: work that is due is not done; warning: some of it is held up, or soon will be; note: somebody '
'wanted it so, and nothing waits.';
comment on column symphony.incident.code is 'What it is, for programs.';
comment on column symphony.incident.subject is
'Which queue, lane, worker, schedule, session or role; null: all of it.';
comment on column symphony.incident.sentence is 'What is wrong, for people.';
comment on column symphony.incident.since is 'Since when; null: that is not known.';
comment on column symphony.incident.cause is 'What is behind it.';
comment on column symphony.incident.command is 'What helps: a statement, or a command of a shell.';
