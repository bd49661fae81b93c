-- Voices a day about each thing, in the window and up to half a year before it. Grain: one row per source, day, measure and key that was heard.
-- A voice counts once a day: one that writes much raises no alarm. Exact words alone tell unsigned messages apart. The days before are read
-- by the present annotators; `unread` counts messages that they have not read.
with seen as (
    select m.*
    from manifestation as m
    semi join city_source using (source_id)
    where m.city = $city and m.first_seen_at <= $seen_until
        and m.manifestation_id in (
            select near.manifestation_id from manifestation as near
            where near.city = $city and near.published_at >= $since and near.published_at < $end
        )
    qualify row_number() over (partition by m.manifestation_id order by m.version_number desc) = 1
),

reading as (
    select
        a.manifestation_id,
        a.version,
        max(a.label) filter (a.task = 'category' and round(a.score, 3) >= coalesce(own.threshold, r.threshold)) as category_id,
        max(a.label) filter (a.task = 'issue' and a.label <> 'none') as issue_id,
        max(a.label) filter (a.task = 'language') as language,
        max(a.label) filter (a.task = 'screening') as screening,
        bool_or(a.task = 'category') as read
    from annotation as a
    join task_reader as r using (task, annotator, revision, taxonomy_version)
    left join label_threshold as own using (task, label)
    semi join seen using (manifestation_id, version)
    group by all
),

message as (
    select
        s.source_id,
        (s.published_at at time zone $timezone)::date as day,
        coalesce(s.author_key, s.text_digest) as voice,
        reading.category_id,
        case when reading.category_id is not null then reading.issue_id end as issue_id,
        coalesce(reading.read, false) as read
    from seen as s
    left join reading using (manifestation_id, version)
    where s.kind = 'manifestation' and s.published_at >= $since and s.published_at < $end
        and coalesce(reading.language, 'unknown') in ('es', 'unknown') and coalesce(reading.screening, 'ok') = 'ok'
)

select source_id, day, 'source' as measure, source_id as key, count(distinct voice) as voices from message group by all
union all
select source_id, day, 'category', category_id, count(distinct voice) from message where category_id is not null group by all
union all
select source_id, day, 'issue', issue_id, count(distinct voice) from message where issue_id is not null group by all
union all
select source_id, day, 'unread', 'unread', count(*) from message where not read group by all
order by all
