-- What each source showed day by day, before a window and in it, as seen at an instant. Grain: one row per source, part, day and kind; the day is null for items without a date.
with current_version as (
    select *
    from manifestation
    where city = $city and first_seen_at <= $seen_until and list_contains($sources, source_id)
    qualify row_number() over (partition by manifestation_id order by version_number desc) = 1
),

placed as (
    -- An undated item belongs to the collections that were made for a window; one of a wider collection tells nothing of it.
    select
        i.*,
        (i.published_at at time zone $timezone)::date as day,
        case
            when i.published_at >= $start and i.published_at < $end then 'window'
            when i.published_at >= $since and i.published_at < $start then 'before'
            when i.published_at is null and b.period_start >= $start and b.period_end <= $end then 'window'
            when i.published_at is null and b.period_start >= $since and b.period_end <= $start then 'before'
        end as part
    from current_version as i
    join batch as b using (batch_number)
)

select
    source_id,
    part,
    day,
    kind,
    count(*) as item_count,
    sum(text_length)::bigint as text_length,
    count(author_key) as author,
    count(published_at) as date,
    count(*) filter (native_id is not null and not starts_with(native_id, 'row:')) as id,
    count(url) as link,
    count(parent_id) as parent,
    count(reactions) as reactions
from placed
where part is not null
group by all
order by all
