-- Manifestations by day of the window, in the city's zone. Grain: one row per report, channel and day, empty days included.
with read as (
    select
        channel,
        (published_at at time zone $timezone)::date as day,
        count(*) as n,
        count(*) filter (sentiment = 'pos') as pos,
        count(*) filter (sentiment = 'neu') as neu,
        count(*) filter (sentiment = 'neg') as neg
    from report_item
    where counted
    group by all
),

asked as (
    select distinct channel, day from covered_day join city_source using (source_id)
)

select
    $report_id as report_id,
    c.channel,
    d.day,
    coalesce(read.n, 0) as manifestation_count,
    coalesce(read.pos, 0) as pos_count,
    coalesce(read.neu, 0) as neu_count,
    coalesce(read.neg, 0) as neg_count,
    asked.day is not null as covered
from city_channel as c
cross join window_day as d
left join read on read.channel = c.channel and read.day = d.day
left join asked on asked.channel = c.channel and asked.day = d.day
order by c.channel, d.day
