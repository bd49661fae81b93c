-- What persons wrote in the window, to be compared; the text is null where it is stored no longer. Grain: one row per manifestation.
-- A text without a date may be of any version; one with a date of the window is of a version with that date.
with near as (
    select manifestation_id, version, text from manifestation_text where published_at >= $start and published_at < $end
    union all
    select manifestation_id, version, text from manifestation_text where published_at is null
),

stored as (
    -- A version that came back was stored twice.
    select manifestation_id, version, max(text) as text
    from near
    semi join window_item using (manifestation_id, version)
    group by all
)

select
    i.manifestation_id,
    i.channel,
    i.published_at,
    i.text_digest,
    stored.text,
    case when i.author_key is not null then concat_ws(chr(31), i.source_id, i.author_key) end as author
from window_item as i
left join stored using (manifestation_id, version)
where i.kind = 'manifestation' and i.published_at is not null
