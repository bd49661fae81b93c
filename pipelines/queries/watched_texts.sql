-- The commonest text of each source's messages in a window, as seen at an instant. Grain: one row per source with messages.
with shown as (
    select manifestation_id, version_number, source_id, text_digest, author_key
    from manifestation
    where city = $city and first_seen_at <= $seen_until and list_contains($sources, source_id)
        and kind = 'manifestation' and published_at >= $start and published_at < $end
),

later as (
    select manifestation_id, version_number
    from manifestation
    semi join shown using (manifestation_id)
    where city = $city and first_seen_at <= $seen_until and list_contains($sources, source_id) and version_number > 1
),

alike as (
    select source_id, text_digest, count(*) as item_count, count(distinct author_key) as author_count
    from shown
    anti join later on shown.manifestation_id = later.manifestation_id and later.version_number > shown.version_number
    group by all
)

select source_id, max(item_count) filter (author_count <= 1) as alike_count
from alike
group by source_id
order by source_id
