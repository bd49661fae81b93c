-- Clusters among the texts that no category took. Grain: one row per report, channel and cluster of at least five persons.
with member as (
    select e.channel, e.cluster_number, i.person, i.source_id, i.published_at
    from emerging_item as e
    join counted_item as i using (item)
),

source as (
    select channel, cluster_number, source_id, count(*) as n from member group by all
),

spread as (
    select channel, cluster_number, count(*) as source_count, max(n) >= 0.8 * sum(n) as one_source from source group by all
)

select
    $report_id as report_id,
    m.channel,
    m.cluster_number,
    count(*) as manifestation_count,
    count(distinct m.person) as person_count,
    any_value(spread.source_count) as source_count,
    any_value(spread.one_source) as one_source,
    (min(m.published_at) at time zone $timezone)::date as first_day,
    (max(m.published_at) at time zone $timezone)::date as last_day,
    any_value(w.words) as words
from member as m
join spread using (channel, cluster_number)
join emerging_word as w using (channel, cluster_number)
group by m.channel, m.cluster_number
order by m.channel, m.cluster_number
