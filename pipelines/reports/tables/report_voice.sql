-- Posts, texts and voices, and how much the most active tenth of the voices wrote. Grain: one row per report, channel and category, and
-- one for the whole channel. No row and no figure is of a person: the tenth is of at least 30 voices.
with item as (
    select channel, category_id, source_id, author_key, copy_group from report_item where counted
    union all
    select channel, null, source_id, author_key, copy_group from report_item where counted
),

total as (
    select
        channel,
        category_id,
        count(*) as manifestation_count,
        count(distinct copy_group) as distinct_text_count,
        count(distinct (source_id, author_key)) filter (author_key is not null) as voice_count,
        count(*) filter (author_key is null) as unsigned_count
    from item
    group by all
),

voice as (
    select channel, category_id, count(*) as n
    from item
    where author_key is not null
    group by channel, category_id, source_id, author_key
),

ranked as (
    select
        *,
        row_number() over (partition by channel, category_id order by n desc) as place,
        count(*) over (partition by channel, category_id) as voices
    from voice
),

tenth as (
    select channel, category_id, sum(n) filter (place <= ceil(voices / 10)) / sum(n) as top_tenth_share
    from ranked
    group by all
    having any_value(voices) >= 30
),

listed as (
    select category_id from category_label
    union all
    select null
)

select
    $report_id as report_id,
    c.channel,
    listed.category_id,
    coalesce(total.manifestation_count, 0) as manifestation_count,
    coalesce(total.distinct_text_count, 0) as distinct_text_count,
    coalesce(total.voice_count, 0) as voice_count,
    coalesce(total.unsigned_count, 0) as unsigned_count,
    tenth.top_tenth_share
from city_channel as c
cross join listed
left join total on total.channel = c.channel and total.category_id is not distinct from listed.category_id
left join tenth on tenth.channel = c.channel and tenth.category_id is not distinct from listed.category_id
order by c.channel, listed.category_id
