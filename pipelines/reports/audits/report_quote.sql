-- Quotes that are too long, of too few persons, twice for an issue, or with more than words and marks of omission. Grain: one row per offending quote.
with said as (
    select *, count(*) over (partition by channel, issue_id) as per_issue
    from report_quote
    where report_id = $report_id
)

select channel, issue_id, person_count
from said
where per_issue > 1
    or person_count < 5
    or (text is not null and (
        regexp_matches(text, '[^\p{L}\p{M} \[\]…]')
        or len(string_split(trim(replace(text, '[…]', '')), ' ')) > 25 + len(string_split(text, '[…]'))
        or list_bool_or([len(string_split(trim(piece), ' ')) > 7 for piece in string_split(text, '[…]')])
    ))
