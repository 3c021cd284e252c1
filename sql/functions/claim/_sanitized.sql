create or replace function symphony._sanitized(error_text text)
returns text
language plpgsql
immutable
as $$
/*
 * It hides too much rather than too little.  A long text is cut at a space first, so that no
 * value is left without the key that gives it away, and to the byte at the end.
 */
declare
    c_most   constant integer := 8000;
    c_name   constant text :=
        '(?:pass(?:word|wd|phrase|code)|pwd|secret|token|authorization|cookie|credential|'
        '(?:api|access|private|auth)[_-]?key)(?:[_-]?(?:key|id|value|hash)|s|\d+)?';
    c_key    constant text := c_name || '(?:\\*["'']\]?)?\s*(?::=|=>|==?|:)';
    c_string constant text :=    -- closed or not, escaped or not
        '(?:"(?:[^"\\]|\\.)*")+|"(?:[^"\\\n]|\\.)*|(?:''(?:[^''\\]|\\.)*'')+|''(?:[^''\\\n]|\\.)*|'
        '\\"(?:[^"\\]|\\\\(?:\\.|[^\\]))*\\"|\\+"[^"]*"|\\+''[^'']*''';
    c_group  constant text :=    -- a list, a tuple, an object, and what is in them
        '\[(?:[^][]|\[[^][]*\])*\]?|\{(?:[^{}]|\{[^{}]*\})*\}?|\((?:[^()]|\([^()]*\))*\)?';
    c_word   constant text :=    -- up to a space, or to a comma before the next key
        '[^\s,;&"''[{(<](?:[^\s,;&<]|[,;&](?!\s*["''\\]*[\w.-]+["''\\]*\s*[:=]))*';
    c_value  constant text := '(?:''(?:[^''\\]|\\.)*''|\\+''[^'']*''|(?:[^\s''"\\]|\\.)+)';
    c_pair   constant text := '\m(?:host|hostaddr|port|user|password|passfile|service|options|ssl\w+|'
        'connect_timeout|application_name|client_encoding|dbname)\s*=\s*' || c_value;
    c_place  constant text := '\m(?:host|hostaddr|dbname)\s*=\s*' || c_value;
    v_text   text := right(error_text, 8 * c_most);
begin
    if length(v_text) < length(error_text) then
        v_text := regexp_replace(v_text, '^\S*\s', '');
    end if;
    v_text := regexp_replace(v_text,
        'postgres(?:ql)?(?:\+\w+)?://(?:[^\s"''<>]|''(?=[^\s"'',;:\])}]))*', 'postgresql://[redacted]', 'gi');
    v_text := regexp_replace(v_text,
        '://(?:[^\s/?#"''<>]*|[^\s/?#@"''<>:]*:(?!\d+[/?#])[^\s"''<>]*)@', '://[redacted]@', 'g');
    v_text := regexp_replace(v_text, format(
        '(?:%1$s\s+)*%2$s(?:\s+%1$s)+|(?:%1$s\s+)+%2$s', c_pair, c_place), '[redacted]', 'gi');
    v_text := regexp_replace(v_text, '(\mBearer\s+)[^\s"'',;\\]+', '\1[redacted]', 'gi');
    v_text := regexp_replace(v_text,
        '(\mBasic\s+)(?=[a-z0-9+/]*[0-9=])[a-z0-9+/]+=*', '\1[redacted]', 'gi');
    v_text := regexp_replace(v_text, '((?:authorization|cookie)[ \t]*[:=][ \t]*)'
        '(?![\s"''\\])(?:[^\r\n"'']|"[^"\r\n]*")+', '\1[redacted]', 'gi');
    v_text := regexp_replace(v_text, format(
        '(%1$s\s*|%2$s\\*["''],\s*)(?:[a-z]{1,2})?(?:%3$s)|(%1$s\s*)(?:%4$s)|'
        '(%1$s[ \t]*|--[\w-]*%2$s[ \t]+|<[\w:.-]*%2$s>)(?:%5$s)',
        c_key, c_name, c_string, c_group, c_word), '\1\2\3[redacted]', 'gi');

    v_text := right(v_text, c_most);
    while octet_length(v_text) > c_most loop
        v_text := right(v_text, -greatest(1, (octet_length(v_text) - c_most) / 4));
    end loop;
    return v_text;
end;
$$;

comment on function symphony._sanitized is
$$An error text without secrets, cut to its last 8,000 bytes.

Arguments  error_text
Returns    the text. It says [redacted] in place of connection strings, of passwords in URLs, and of
           the values of keys such as password, token, secret, authorization and api_key
Access     private$$;
