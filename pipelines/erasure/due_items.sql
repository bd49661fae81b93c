-- Items whose text is past the retention of their source, counted from when they were first seen; those of a source that
-- the city's file no longer names go by the shortest. Grain: one row per manifestation.
with item as (
    select
        manifestation_id,
        source_id,
        min(first_seen_at) as item_first_seen_at,
        bool_or(kind = 'manifestation') as is_message
    from manifestation
    where city = $city and erased_at is null
    group by manifestation_id, source_id
)

select
    item.manifestation_id,
    item.source_id,
    item.is_message,
    item.item_first_seen_at + to_days(coalesce(r.retention_days, $shortest_days)) as due_at
from item
left join source_retention as r using (source_id)
where item.item_first_seen_at + to_days(coalesce(r.retention_days, $shortest_days)) <= $now
order by item.manifestation_id
