-- Messages of a window, or without a date, that an annotator's present revision has not read, with the instant by which each is
-- found. Grain: one row per manifestation version.
-- Texts and readings are looked for as a report does: by an instant in the window, by another one of the message, without one.
with found as (
    select manifestation_id, version, version_at
    from manifestation
    where city = $city
        and kind = 'manifestation'
        and first_seen_at <= $seen_until
        and (len($sources) = 0 or list_contains($sources, source_id))
        and published_at >= $start and published_at < $end
    union all
    select manifestation_id, version, version_at
    from manifestation
    where city = $city
        and kind = 'manifestation'
        and first_seen_at <= $seen_until
        and (len($sources) = 0 or list_contains($sources, source_id))
        and published_at is null
),

message as (
    select manifestation_id, version, any_value(version_at) as version_at
    from found
    group by manifestation_id, version
),

elsewhere as (
    from message where version_at < $start or version_at >= $end
),

stored as (
    select t.manifestation_id, t.version, t.text
    from manifestation_text as t
    semi join message using (manifestation_id, version)
    where t.version_at >= $start and t.version_at < $end
    union all
    select t.manifestation_id, t.version, t.text
    from manifestation_text as t
    semi join elsewhere using (version_at, manifestation_id, version)
    union all
    select t.manifestation_id, t.version, t.text
    from manifestation_text as t
    semi join message using (manifestation_id, version)
    where t.version_at is null
),

done as (
    select a.manifestation_id, a.version
    from annotation as a
    semi join message using (manifestation_id, version)
    where a.annotator = $annotator and a.revision = $revision and a.taxonomy_version = $taxonomy_version
        and a.version_at >= $start and a.version_at < $end
    union all
    select a.manifestation_id, a.version
    from annotation as a
    semi join elsewhere using (version_at, manifestation_id, version)
    where a.annotator = $annotator and a.revision = $revision and a.taxonomy_version = $taxonomy_version
    union all
    select a.manifestation_id, a.version
    from annotation as a
    semi join message using (manifestation_id, version)
    where a.annotator = $annotator and a.revision = $revision and a.taxonomy_version = $taxonomy_version
        and a.version_at is null
)

select distinct message.manifestation_id, message.version, stored.text, message.version_at
from message
anti join done using (manifestation_id, version)
join stored using (manifestation_id, version)
order by message.manifestation_id, message.version
