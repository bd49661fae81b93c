-- What each source showed day by day, before a window and in it, as seen at an instant. Grain: one row per source, part, day and kind; the day is null for items without a date.
-- An undated item belongs to the collections that were made for a window; one of a wider collection tells nothing of the form of this
-- window's items, which are a part of that collection.
with shown as (
    select m.*, if(m.published_at >= $start, 'window', 'before') as part
    from manifestation as m
    semi join batch using (batch_number)
    where m.city = $city and m.first_seen_at <= $seen_until and list_contains($sources, m.source_id)
        and m.published_at >= $since and m.published_at < $end
    union all
    select m.*, if(b.period_start >= $start, 'window', 'before') as part
    from manifestation as m
    join batch as b using (batch_number)
    where m.city = $city and m.first_seen_at <= $seen_until and list_contains($sources, m.source_id)
        and m.published_at is null
        and ((b.period_start >= $start and b.period_end <= $end) or (b.period_start >= $since and b.period_end <= $start))
),

later as (
    -- The first version of an item takes the place of none.
    select manifestation_id, version_number
    from manifestation
    semi join shown using (manifestation_id)
    where city = $city and first_seen_at <= $seen_until and list_contains($sources, source_id) and version_number > 1
)

select
    source_id,
    part,
    (published_at at time zone $timezone)::date as day,
    kind,
    count(*) as item_count,
    sum(text_length)::bigint as text_length,
    count(author_key) as author,
    count(published_at) as date,
    count(*) filter (native_id is not null and not starts_with(native_id, 'row:')) as id,
    count(url) as link,
    count(parent_id) as parent,
    count(reactions) as reactions
from shown
anti join later on shown.manifestation_id = later.manifestation_id and later.version_number > shown.version_number
group by all
order by all
