-- The commonest text of each source's messages in a window, as seen at an instant. Grain: one row per source with messages.
with current_version as (
    select *
    from manifestation
    where city = $city and first_seen_at <= $seen_until and list_contains($sources, source_id)
    qualify row_number() over (partition by manifestation_id order by version_number desc) = 1
),

alike as (
    select source_id, text_digest, count(*) as item_count, count(distinct author_key) as author_count
    from current_version
    where kind = 'manifestation' and published_at >= $start and published_at < $end
    group by all
)

select source_id, max(item_count) filter (author_count <= 1) as alike_count
from alike
group by source_id
order by source_id
