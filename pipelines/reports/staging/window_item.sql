-- The current version of every item that bears on the window, as far as was seen. Grain: one row per manifestation.
-- An undated item belongs to the collections that were made for the window.
-- Only versions that bear on the window are read, and of the others those that are an item's second or later: the first
-- versions of the whole history are many, and none of them takes the place of another.
with bearing as (
    select m.*
    from manifestation as m
    semi join city_source using (source_id)
    semi join batch using (batch_number)
    where m.city = $city and m.first_seen_at <= $seen_until and m.published_at >= $start and m.published_at < $end
    union all
    select m.*
    from manifestation as m
    semi join city_source using (source_id)
    semi join (from batch where period_start < $end and period_end > $start) as b on m.batch_number = b.batch_number
    where m.city = $city and m.first_seen_at <= $seen_until and m.published_at is null
),

later as (
    select m.manifestation_id, m.version_number, m.first_seen_at
    from manifestation as m
    semi join city_source using (source_id)
    semi join bearing using (manifestation_id)
    where m.city = $city and m.first_seen_at <= $seen_until and m.version_number > 1
),

moved as (
    -- An edit brought it into the window, where its first version was not.
    select manifestation_id
    from bearing
    group by manifestation_id
    having min(version_number) > 1
),

version_seen as (
    select manifestation_id, first_seen_at from bearing
    union all
    select manifestation_id, first_seen_at from later
    union all
    select m.manifestation_id, m.first_seen_at
    from manifestation as m
    semi join city_source using (source_id)
    semi join moved using (manifestation_id)
    where m.city = $city and m.first_seen_at <= $seen_until and m.version_number = 1
),

item as (
    select manifestation_id, min(first_seen_at) as item_first_seen_at
    from version_seen
    group by manifestation_id
)

select bearing.*, item.item_first_seen_at
from bearing
join item using (manifestation_id)
anti join later on bearing.manifestation_id = later.manifestation_id and later.version_number > bearing.version_number
