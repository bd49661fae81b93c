-- Messages of a window, or without a date, that an annotator's present revision has not read. Grain: one row per manifestation version.
select distinct m.manifestation_id, m.version, t.text
from manifestation as m
join manifestation_text as t using (manifestation_id, version)
where m.city = $city
    and m.kind = 'manifestation'
    and m.first_seen_at <= $seen_until
    and (len($sources) = 0 or list_contains($sources, m.source_id))
    and (m.published_at is null or (m.published_at >= $start and m.published_at < $end))
    and not exists (
        select 1
        from annotation as a
        where a.manifestation_id = m.manifestation_id
            and a.version = m.version
            and a.annotator = $annotator
            and a.revision = $revision
            and a.taxonomy_version = $taxonomy_version
    )
order by m.manifestation_id, m.version
