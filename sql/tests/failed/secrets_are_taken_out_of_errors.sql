-- _sanitized: secrets in the error texts of any language are hidden, and the rest is left to read.
-- The time that this takes grows with the text, and not faster.
select plan(10);

create temporary table case_ (given text, expected text);
insert into case_ values
    ('password=hunter2', 'password=[redacted]'),
    ('PASSWORD = hunter2', 'PASSWORD = [redacted]'),
    ('db_password: hunter2, user: ada', 'db_password: [redacted], user: ada'),
    ('passwd:hunter2 pwd=hunter2;Server=db', 'passwd:[redacted] pwd=[redacted];Server=db'),
    ('password=hunter2,hunter2;hunter2&hunter2 ok', 'password=[redacted] ok'),
    ('password=хантер2 и далее', 'password=[redacted] и далее'),
    ('password=🔑hunter2🔑 next', 'password=[redacted] next'),
    ('password => "hunter2"', 'password => [redacted]'),
    ('password: b''hun hunter2''', 'password: [redacted]'),
    ('password="hun hunter2', 'password=[redacted]'),
    ('password=', 'password='),
    ('{"password": "hun\"hunter2", "user": "ada"}', '{"password": [redacted], "user": "ada"}'),
    ('{''password'': ''it\''s hunter2'', ''user'': ''ada''}',
     '{''password'': [redacted], ''user'': ''ada''}'),
    ('{''password'': "it''s hunter2", ''user'': ''ada''}', '{''password'': [redacted], ''user'': ''ada''}'),
    ('insert ... password=''it''''s hunter2'', 1', 'insert ... password=[redacted], 1'),
    ('{"a": {"token":"hunter2","user":"ada"}}', '{"a": {"token":[redacted],"user":"ada"}}'),
    ('{"token":2222,"user":"ada"}', '{"token":[redacted],"user":"ada"}'),
    ('"{\"password\": \"hunter2\", \"user\": \"ada\"}"', '"{\"password\": [redacted], \"user\": \"ada\"}"'),
    ('"{\"password\": \"hun\\\"hunter2\", \"user\": \"ada\"}"',
     '"{\"password\": [redacted], \"user\": \"ada\"}"'),
    (e'{\n  "password":\n    "hunter2",\n  "user": "ada"\n}',
     e'{\n  "password":\n    [redacted],\n  "user": "ada"\n}'),
    (e'password=''line 1\nhunter2''\nuser=ada', e'password=[redacted]\nuser=ada'),
    ('"secrets": ["hunter2", "hunter2"], "user": "ada"', '"secrets": [redacted], "user": "ada"'),
    ('"secret": {"a": {"b": "hunter2"}, "c": "hunter2"}, "user": "ada"',
     '"secret": [redacted], "user": "ada"'),
    ('Authorization: Bearer eyJhbGciOi.hunter2.x_y-z', 'Authorization: [redacted]'),
    ('Authorization: Basic aHVudGVyMjp4', 'Authorization: [redacted]'),
    ('Authorization: Digest username="ada", response="hunter2"', 'Authorization: [redacted]'),
    (e'Cookie: session=hunter2; theme=hunter2\nAccept: */*', e'Cookie: [redacted]\nAccept: */*'),
    ('{''Authorization'': ''Bearer hunter2'', ''Accept'': ''*/*''}',
     '{''Authorization'': [redacted], ''Accept'': ''*/*''}'),
    ('[(b''authorization'', b''Basic hunter2''), (b''accept'', b''*/*'')]',
     '[(b''authorization'', [redacted]), (b''accept'', b''*/*'')]'),
    ('sent Bearer hunter2, got 401', 'sent Bearer [redacted], got 401'),
    ('X-Api-Key: hunter2', 'X-Api-Key: [redacted]'),
    ('api_key=hunter2 apikey: hunter2 accessKeyId=hunter2',
     'api_key=[redacted] apikey: [redacted] accessKeyId=[redacted]'),
    ('AWS_SECRET_ACCESS_KEY=hunter2 access_key=hunter2',
     'AWS_SECRET_ACCESS_KEY=[redacted] access_key=[redacted]'),
    ('client_secret=hunter2&grant_type=password', 'client_secret=[redacted]&grant_type=password'),
    ('os.environ[''PGPASSWORD''] = ''hunter2''', 'os.environ[''PGPASSWORD''] = [redacted]'),
    ('mysql --password hunter2 -u ada', 'mysql --password [redacted] -u ada'),
    ('[''mysql'', ''--password'', ''hunter2'', ''-u'', ''ada'']',
     '[''mysql'', ''--password'', [redacted], ''-u'', ''ada'']'),
    ('<password>hunter2</password><user>ada</user>', '<password>[redacted]</password><user>ada</user>'),
    ('redis://:hunter2@cache:6379/0', 'redis://[redacted]@cache:6379/0'),
    ('amqp://ada:hun/te@hunter2@mq/vhost', 'amqp://[redacted]@mq/vhost'),
    ('https://ghp_hunter2@github.com/a/b', 'https://[redacted]@github.com/a/b'),
    ('https://x/cb?access_token=hunter2&user=ada#f', 'https://x/cb?access_token=[redacted]&user=ada#f'),
    ('postgresql://ada:hunter2@db/shop?sslmode=require', 'postgresql://[redacted]'),
    ('connect("postgres://ada:hun''hunter2@db/shop", 5)', 'connect("postgresql://[redacted]", 5)'),
    ('connect(''postgresql+psycopg://ada:h@hunter2@db:5432/shop'', 5)',
     'connect(''postgresql://[redacted]'', 5)'),
    ('bad: host=db port=5432 dbname=hunter2 user=ada password=hunter2 sslmode=require', 'bad: [redacted]'),
    ('host=db password=''hun hunter2'' user=ada', '[redacted]'),
    ('''host=db dbname=shop password=\''hun hunter2\''''', '''[redacted]'''),
    ('user=ada password=hunter2', 'user=ada password=[redacted]');
create temporary table plain (given text);
insert into plain values
    ('ValueError: too short'),
    ('KeyError: ''password'''),
    ('unexpected token } in JSON at 3'),
    ('FATAL:  password authentication failed for user "ada"'),
    ('https://example.com:8080/users?email=ada@example.com'),
    ('connection to server at "127.0.0.1", port 5432 failed: no password supplied'),
    (e'Invalid password:\n  File "x.py", line 1'),
    (e'Traceback (most recent call last):\n  File "/srv/mail.py", line 12, in send\n    smtp.login()\n'
      '  ConnectionError: [Errno 111]'),
    ('');

select is_empty(
    $$select given, expected, symphony._sanitized(given)
      from case_ where symphony._sanitized(given) <> expected$$,
    'secrets are hidden, and the rest is left'
);
select is_empty(
    $$select given from case_ where symphony._sanitized(given) ~ 'hunter2'$$,
    'no secret is left over'
);
select is_empty(
    $$select given
      from case_ where symphony._sanitized(symphony._sanitized(given)) <> symphony._sanitized(given)$$,
    'what was sanitized stays when it is sanitized again'
);
select is_empty(
    $$select given, symphony._sanitized(given) from plain where symphony._sanitized(given) <> given$$,
    'what is not a secret stays'
);
select is(symphony._sanitized(null), null, 'null stays null');

-- The end is kept, to the byte, and never half a character or half a secret.
select is(
    symphony._sanitized(repeat('x', 100000) || 'end'),
    repeat('x', 7997) || 'end', 'the end of a long text is kept'
);
select is_empty(
    $$select n
      from generate_series(0, 8) as n, symphony._sanitized(repeat('x', n) || repeat('é🔑x', 3000)) as s
      where octet_length(s) not between 7990 and 8000 or s !~ 'é🔑x$'$$,
    'the length is counted in bytes and cut by whole characters'
);
select is_empty(
    $$select n
      from generate_series(63970, 64010) as n,
           symphony._sanitized('token=hunter2 ' || repeat('password=" ', n / 11) || repeat('.', n % 11)) as s
      where s ~ 'hunter2'$$,
    'a secret is not cut from its key'
);

-- Time: each of these would take minutes, if it took the square of its length.
create temporary table nasty as
select left(repeat(part, 8000), 8000) as given
from unnest(array[
    'password', 'password ', 'password=', 'password="', 'password=''', 'password=\"', 'password=a,', ',a',
    'token={', 'token=[(', '"a":{', '://', '://a:', '://a@', 'host=a ', 'host=a dbname=b ', 'host=''a ',
    'host=\ ', 'bearer ', 'basic aaaa', 'authorization:a"', e'cookie: x\n', '--password ', '<password>',
    'a', '"', '''', '\', '\"', ' ', e'\n', 'é', 'pass secret token host= ://:@"''{[('
]) as part;
create function pg_temp.seconds() returns double precision language plpgsql as $$
declare v_begun timestamptz := clock_timestamp();
begin
    perform length(symphony._sanitized(given)) from nasty;
    return extract(epoch from clock_timestamp() - v_begun);
end $$;
create temporary table took as select pg_temp.seconds() as at_8000;
select cmp_ok(at_8000, '<', 5::double precision, 'no text of 8,000 characters takes long') from took;
update nasty set given = given || given || given || given;
select cmp_ok(
    pg_temp.seconds(),
    '<', 10 * at_8000 + 1, 'four times the text takes about four times as long'
)
from took;
select * from finish();
