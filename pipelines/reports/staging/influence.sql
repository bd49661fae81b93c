-- What each share would be without one source. Grain: one row per channel, measure and key.
-- One pass: the counts of a source are taken off the totals.
with item as (
    select channel, source_id, category_id, sentiment, count(*) as n from report_item where counted group by all
),

hit as (
    select channel, source_id, 'category' as measure, category_id as key, sum(n) as x from item group by all
    union all
    select channel, source_id, 'sentiment', sentiment, sum(n) from item group by all
    union all
    select channel, source_id, 'category_neg', category_id, sum(n) from item where sentiment = 'neg' group by all
),

base as (
    select channel, source_id, 'channel' as part, sum(n) as n from item group by all
    union all
    select channel, source_id, category_id, sum(n) from item group by all
),

listed as (
    select 'category' as measure, category_id as key, 'channel' as part from category_label
    union all
    select 'sentiment', sentiment, 'channel' from sentiment_label
    union all
    select 'category_neg', category_id, category_id from category_label
),

by_source as (
    select
        listed.measure,
        listed.key,
        base.channel,
        base.source_id,
        base.n,
        coalesce(hit.x, 0) as x,
        sum(base.n) over whole as total,
        sum(coalesce(hit.x, 0)) over whole as hits
    from listed
    join base using (part)
    left join hit using (channel, source_id, measure, key)
    window whole as (partition by base.channel, listed.measure, listed.key)
),

without as (
    select *, hits / total as share, (hits - x) / nullif(total - n, 0) as left_share from by_source
),

ranged as (
    select
        channel,
        measure,
        key,
        min(left_share) as lowest_without,
        arg_min(source_id, (left_share, source_id)) filter (left_share is not null) as lowest_source_id,
        max(left_share) as highest_without,
        arg_min(source_id, (-left_share, source_id)) filter (left_share is not null) as highest_source_id,
        arg_min(source_id, (-abs(round(left_share - share, 12)), source_id)) filter (left_share is not null) as moving_source_id,
        any_value(share) as share
    from without
    group by all
)

select
    c.channel,
    listed.measure,
    listed.key,
    ranged.* exclude (channel, measure, key)
from city_channel as c
cross join listed
left join ranged using (channel, measure, key)
