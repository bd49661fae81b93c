-- The counted messages of the window (1) and of the one before (0), as codes. Grain: one row per manifestation and window.
-- An unsigned text counts with its copies in its source as one author: nobody gains certainty by repeating it.
with side_item as (
    select 1 as side, channel, source_id, author_key, copy_group, published_at, category_id, sentiment from report_item where counted
    union all
    select 0, channel, source_id, author_key, copy_group, published_at, category_id, sentiment from previous_item where counted
)

select
    side_item.channel,
    side_item.side,
    s.position as source,
    dense_rank() over (
        order by side_item.source_id, side_item.author_key, case when side_item.author_key is null then (side_item.side, side_item.copy_group) end
    ) as author,
    date_diff(
        'day',
        (case side_item.side when 1 then i.period_start else c.previous_start end at time zone $timezone)::date,
        (side_item.published_at at time zone $timezone)::date
    ) as day,
    k.position as category,
    t.position as sentiment
from side_item
cross join report_input as i
cross join comparison_input as c
join city_source as s using (source_id)
join category_label as k using (category_id)
join sentiment_label as t using (sentiment)
order by all
