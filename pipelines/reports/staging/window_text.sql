-- What persons wrote in the window, to be compared; the text is null where it is stored no longer. Grain: one row per manifestation.
-- Three ways to find it: by an instant in the window, by that of a version which has no date of its own, among rows without one.
with found as (
    select t.manifestation_id, t.version, t.text
    from manifestation_text as t
    semi join window_item using (manifestation_id, version)
    where t.version_at >= $start and t.version_at < $end
    union all
    select t.manifestation_id, t.version, t.text
    from manifestation_text as t
    semi join (from window_item where version_at < $start or version_at >= $end) as i using (version_at, manifestation_id, version)
    union all
    select t.manifestation_id, t.version, t.text
    from manifestation_text as t
    semi join window_item using (manifestation_id, version)
    where t.version_at is null
),

stored as (
    -- A version that came back was stored twice.
    select manifestation_id, version, max(text) as text
    from found
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
