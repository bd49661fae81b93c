-- Texts that many wrote with small edits or none. Grain: one row per report, channel and group of copies by at least $least_voices
-- signed authors or unsigned writers. Whatever would tell of fewer persons is null or left out.
with copied as (
    select
        channel,
        copy_group,
        count(*) as manifestation_count,
        count(distinct text_digest) as distinct_text_count,
        count(distinct (source_id, author_key)) filter (author_key is not null) as voices,
        count(*) filter (author_key is null) as unsigned,
        count(distinct source_id) as source_count,
        (min(published_at) at time zone $timezone)::date as first_day,
        (max(published_at) at time zone $timezone)::date as last_day
    from report_item
    where counted
    group by channel, copy_group
    having voices + unsigned >= $least_voices
),

read as (
    select channel, copy_group, category_id, count(*) as n
    from report_item
    semi join copied using (channel, copy_group)
    where counted
    group by all
    having n >= $least_voices
),

listed as (
    select
        channel,
        copy_group,
        to_json(map(list(category_id order by n desc, category_id), list(n order by n desc, category_id)))::varchar as categories
    from read
    group by channel, copy_group
)

select
    $report_id as report_id,
    copied.channel,
    row_number() over (
        partition by copied.channel
        order by copied.manifestation_count desc, copied.copy_group
    ) as campaign_number,
    copied.manifestation_count,
    copied.distinct_text_count,
    case when copied.voices = 0 or copied.voices >= $least_voices then copied.voices end as voice_count,
    case when copied.voices = 0 or copied.voices >= $least_voices then copied.unsigned end as unsigned_count,
    copied.source_count,
    copied.first_day,
    copied.last_day,
    coalesce(listed.categories, '{}') as categories
from copied
left join listed using (channel, copy_group)
order by copied.channel, campaign_number
