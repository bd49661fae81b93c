-- How many messages and how many persons stand behind each figure. Grain: one row per channel and cell, zero included but for issues.
-- A person is a signed author within a source, or one unsigned item. `none` among the issues is what no issue was recognised in.
with person as (
    select
        channel,
        category_id,
        issue_id,
        sentiment,
        (published_at at time zone $timezone)::date as day,
        counted,
        not_counted,
        case
            when author_key is null then hash('item', manifestation_id)
            else hash('author', source_id, author_key)
        end as person
    from report_item
),

counted as (
    from person where counted
),

read as (
    select channel, 'total' as cell_table, '' as cell_key, count(*) as n, count(distinct person) as persons
    from counted
    group by channel
    union all
    select channel, 'category', category_id, count(*), count(distinct person) from counted group by all
    union all
    select channel, 'sentiment', sentiment, count(*), count(distinct person) from counted group by all
    union all
    select channel, 'category_sentiment', category_id || '/' || sentiment, count(*), count(distinct person) from counted group by all
    union all
    select channel, 'day', day::varchar, count(*), count(distinct person) from counted group by all
    union all
    select channel, 'day_sentiment', day::varchar || '/' || sentiment, count(*), count(distinct person) from counted group by all
    union all
    select c.channel, 'issue', c.category_id || '/' || coalesce(c.issue_id, 'none'), count(*), count(distinct c.person)
    from counted as c
    semi join (from counted where issue_id is not null) as issued using (channel, category_id)
    group by all
    union all
    select c.channel, 'rollup', r.rollup_id, count(*), count(distinct c.person)
    from counted as c
    join (select distinct rollup_id from rollup_member) as r
        on exists (
            from rollup_member as m
            where m.rollup_id = r.rollup_id and (m.category_id = c.category_id or m.issue_id = c.issue_id)
        )
    group by all
    union all
    select channel, 'unread', not_counted, count(*), count(distinct person) from person where not counted group by all
),

listed as (
    select c.channel, cell.cell_table, cell.cell_key
    from city_channel as c
    cross join (
        select 'total' as cell_table, '' as cell_key
        union all
        select 'category', category_id from category_label
        union all
        select 'sentiment', sentiment from sentiment_label
        union all
        select 'category_sentiment', category_id || '/' || sentiment from category_label cross join sentiment_label
        union all
        select 'day', day::varchar from window_day
        union all
        select 'day_sentiment', day::varchar || '/' || sentiment from window_day cross join sentiment_label
        union all
        select distinct 'rollup', rollup_id from rollup_member
        union all
        select 'unread', unnest(['quechua', 'aymara', 'other_language', 'spam', 'test', 'mirror', 'own_repeat', 'erased_unread'])
    ) as cell
)

select
    coalesce(read.channel, listed.channel) as channel,
    coalesce(read.cell_table, listed.cell_table) as cell_table,
    coalesce(read.cell_key, listed.cell_key) as cell_key,
    coalesce(read.n, 0) as manifestation_count,
    coalesce(read.persons, 0) as person_count
from listed
full join read using (channel, cell_table, cell_key)
order by all
