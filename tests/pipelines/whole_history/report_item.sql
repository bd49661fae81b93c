-- Every item of the window with the rule that decides whether it counts. Grain: one row per manifestation.
-- An item whose text was erased keeps the last reading that it had, whoever made it: nobody can read it again.
-- Rules, in this order: context, undated, erased before anybody read it, spam and tests, languages that are not read, mirrors of one
-- item, an author's own repeats.
with gone as (
    -- Two whole collections in a row did not give it again; it was said, so it counts.
    select manifestation_id
    from manifestation_absence
    where city = $city and observed_at <= $seen_until
    group by manifestation_id
    having arg_max(misses, batch_number) >= 2
),

reading as (
    select
        a.manifestation_id,
        a.version,
        a.task,
        a.label,
        a.score,
        round(a.score, 3) >= coalesce(own.threshold, r.threshold) as confident  -- as it is shown
    from annotation as a
    join task_reader as r using (task, annotator, revision, taxonomy_version)
    left join label_threshold as own using (task, label)
    semi join window_item using (manifestation_id, version)
),

last_reading as (
    -- Of the categories and issues of earlier annotators, those that the present one has too.
    select
        a.manifestation_id,
        a.version,
        a.task,
        arg_max(a.label, a.run_id) as label,
        arg_max(round(a.score, 3) >= coalesce(own.threshold, r.threshold), a.run_id) as confident
    from annotation as a
    join task_reader as r using (task)
    left join label_threshold as own using (task, label)
    left join annotator_task as t
        on t.task = r.task and t.annotator = r.annotator and t.revision = r.revision and t.taxonomy_version = r.taxonomy_version
    semi join (from window_item where erased_at is not null) as i
        on a.manifestation_id = i.manifestation_id and a.version = i.version
    where a.task not in ('category', 'issue') or list_contains(t.labels, a.label)
    group by all
),

own_or_last as (
    select manifestation_id, version, task, label, confident, false as earlier from reading
    union all
    select manifestation_id, version, task, label, confident, true as earlier
    from last_reading
    anti join reading using (manifestation_id, version, task)
),

described as (
    select
        i.manifestation_id,
        i.version,
        i.source_id,
        s.channel,
        s.position as source_position,
        i.kind,
        i.url,
        i.author_key,
        i.published_at,
        i.first_seen_at,
        i.item_first_seen_at,
        i.text_digest,
        i.text_length,
        copy.copy_group,
        copy.own_group,
        copy.has_text,
        i.manifestation_id in (select gone.manifestation_id from gone) as gone,
        i.erased_at is not null as erased,
        i.erased_at is not null and coalesce(category.earlier or sentiment.earlier, true) as read_earlier,
        case when category.confident then category.label else 'unclassified' end as category_id,
        case when category.confident and issue.label <> 'none' then issue.label end as issue_id,
        sentiment.label as sentiment,
        coalesce(language.label, 'unknown') as language,
        coalesce(screening.label, 'ok') as screening
    from window_item as i
    join city_source as s using (source_id)
    left join text_copy as copy using (manifestation_id)
    left join own_or_last as category
        on category.manifestation_id = i.manifestation_id and category.version = i.version and category.task = 'category'
    left join own_or_last as issue
        on issue.manifestation_id = i.manifestation_id and issue.version = i.version and issue.task = 'issue'
    left join own_or_last as sentiment
        on sentiment.manifestation_id = i.manifestation_id and sentiment.version = i.version and sentiment.task = 'sentiment'
    left join own_or_last as language
        on language.manifestation_id = i.manifestation_id and language.version = i.version and language.task = 'language'
    left join own_or_last as screening
        on screening.manifestation_id = i.manifestation_id and screening.version = i.version and screening.task = 'screening'
),

screened as (
    select
        *,
        case
            when kind = 'article' then 'article'
            when kind in ('official', 'institution') then kind
            when published_at is null then 'undated'
            when erased and sentiment is null then 'erased_unread'
            when screening <> 'ok' then screening
            when language = 'qu' then 'quechua'
            when language = 'ay' then 'aymara'
            when language not in ('es', 'unknown') then 'other_language'
        end as set_aside
    from described
),

linked as (
    -- A link is an item's own only if no other item of its source carries it.
    select
        *,
        case when count(*) over (partition by source_id, url) = 1 then url end as own_url,
        text_length >= 25 and (published_at at time zone $timezone)::time <> '00:00:00' as precise
    from screened
),

ranked as (
    select
        *,
        row_number() over (
            -- A link alone is no evidence: a comment may link to the proposal that it is about.
            partition by channel, set_aside, coalesce(own_url, manifestation_id), text_digest
            order by published_at, source_position, manifestation_id
        ) as nth_of_link,
        dense_rank() over (
            -- The same words at the same instant in an earlier source of the city's file: one item under two addresses.
            -- Very short words are no evidence, nor is a date without a clock time.
            partition by
                channel, set_aside,
                case when precise then text_digest else manifestation_id end,
                case when precise then published_at end
            order by source_position
        ) as nth_source_of_instant,
        row_number() over (
            -- A repeat with small edits is a repeat: own_group holds an author's texts that are copies of one another.
            partition by channel, set_aside, source_id, coalesce(author_key, manifestation_id), coalesce(own_group::varchar, text_digest)
            order by published_at, text_digest, manifestation_id
        ) as nth_of_author
    from linked
)

select
    manifestation_id,
    version,
    source_id,
    channel,
    kind,
    author_key,
    published_at,
    first_seen_at,
    item_first_seen_at,
    text_digest,
    copy_group,
    has_text,
    gone,
    erased,
    read_earlier,
    category_id,
    issue_id,
    coalesce(sentiment, 'unclassified') as sentiment,
    coalesce(
        set_aside,
        case
            when nth_of_link > 1 or nth_source_of_instant > 1 then 'mirror'
            when nth_of_author > 1 then 'own_repeat'
        end
    ) as not_counted,
    not_counted is null as counted
from ranked
