-- Messages of a window, or without a date, that an annotator's present revision has not read, with what tells whether the date
-- is the version's own. Grain: one row per manifestation version.
-- What was stored beside a version has its date, or none: a row without one may be of any version.
with found as (
    select manifestation_id, version, published_at, published_raw
    from manifestation
    where city = $city
        and kind = 'manifestation'
        and first_seen_at <= $seen_until
        and (len($sources) = 0 or list_contains($sources, source_id))
        and published_at >= $start and published_at < $end
    union all
    select manifestation_id, version, published_at, published_raw
    from manifestation
    where city = $city
        and kind = 'manifestation'
        and first_seen_at <= $seen_until
        and (len($sources) = 0 or list_contains($sources, source_id))
        and published_at is null
),

message as (
    -- A version that came back has a row for each time; only a date that is told as "hace 2 horas" differs among them.
    select manifestation_id, version, min(published_at) as published_at, min(published_raw) as published_raw
    from found
    group by manifestation_id, version
),

stored as (
    select manifestation_id, version, text from manifestation_text where published_at >= $start and published_at < $end
    union all
    select manifestation_id, version, text from manifestation_text where published_at is null
),

done as (
    select manifestation_id, version
    from annotation
    where annotator = $annotator and revision = $revision and taxonomy_version = $taxonomy_version
        and published_at >= $start and published_at < $end
    union all
    select manifestation_id, version
    from annotation
    where annotator = $annotator and revision = $revision and taxonomy_version = $taxonomy_version and published_at is null
)

select distinct message.manifestation_id, message.version, stored.text, message.published_at, message.published_raw
from message
anti join done using (manifestation_id, version)
join stored using (manifestation_id, version)
order by message.manifestation_id, message.version
