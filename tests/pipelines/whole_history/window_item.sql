-- The current version of every item that bears on the window, as far as was seen. Grain: one row per manifestation.
-- An undated item belongs to the collections that were made for the window.
with seen as (
    select
        m.*,
        row_number() over (
            partition by m.manifestation_id
            order by m.version_number desc
        ) as newest_first,
        min(m.first_seen_at) over (partition by m.manifestation_id) as item_first_seen_at
    from manifestation as m
    semi join city_source using (source_id)
    where m.city = $city and m.first_seen_at <= $seen_until
)

select seen.*
from seen
join batch using (batch_number)
where seen.newest_first = 1
    and (
        (seen.published_at >= $start and seen.published_at < $end)
        or (seen.published_at is null and batch.period_start < $end and batch.period_end > $start)
    )
