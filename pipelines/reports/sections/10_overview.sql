-- The first screen: totals, three findings made by rule, and what could not be read. Grain: named beside each query.

-- name: findings
-- One row per finding, in order; the message's words are in wording.yml.
with base as (
    select manifestation_count as base from report where report_id = $report_id and channel = $channel
),

read as (
    -- What is largest is told by the corrected shares where there are some; a share with too few labels is the smallest.
    select
        *,
        case
            when bool_or(corrected) over () then coalesce(manifestation_share, 0)
            else manifestation_count
        end as size
    from report_category
    where report_id = $report_id and channel = $channel and category_id not in ('otros', 'unclassified') and manifestation_count > 0
),

largest as (
    select
        1 as position,
        case
            when (select base from base) = 0 then 'nothing_counted'
            when count(*) = 0 then 'no_category'
            when count(*) filter (size = (select max(size) from read)) > 1 then 'largest_tied'
            when any_value(base) < $min_base then 'largest_category_small'
            else 'largest_category'
        end as message,
        arg_max(category_id, (size, manifestation_count, -position)) as category_id,
        arg_max(manifestation_count, (size, manifestation_count, -position)) as manifestation_count,
        any_value(base) as base,
        count(*) filter (size = (select max(size) from read)) as tied_count,
        arg_max(coalesce(manifestation_share, read_share), (size, manifestation_count, -position)) as share,
        coalesce(arg_max(corrected, (size, manifestation_count, -position)), false) as corrected,
        arg_max(manifestation_low, (size, manifestation_count, -position)) as low,
        arg_max(manifestation_high, (size, manifestation_count, -position)) as high
    from read
    cross join base
),

toned as (
    select
        s.*,
        read.manifestation_count as base,
        read.position,
        bool_or(s.manifestation_share is not null) over () as any_told
    from report_category_sentiment as s
    join read using (category_id)
    where s.report_id = $report_id and s.channel = $channel and s.sentiment = 'neg' and read.manifestation_count >= $min_base
),

most_negative as (
    select
        2 as position,
        case
            when count(*) = 0 then 'none_large'
            when not any_value(any_told) then 'corrected.none_told'
            when max(manifestation_count) = 0 then 'none_negative'
            else 'most_negative'
        end as message,
        arg_max(category_id, (manifestation_share, base, -position)) as category_id,
        arg_max(manifestation_count, (manifestation_share, base, -position)) as manifestation_count,
        arg_max(base, (manifestation_share, base, -position)) as base,
        0 as tied_count,
        max(manifestation_share) as share,
        coalesce(arg_max(corrected, (manifestation_share, base, -position)), false) as corrected,
        arg_max(manifestation_low, (manifestation_share, base, -position)) as low,
        arg_max(manifestation_high, (manifestation_share, base, -position)) as high
    from toned
    where manifestation_share is not null or not any_told
),

unread as (
    select
        3 as position,
        case
            when any_value(base) = 0 then 'silence'
            when sum(manifestation_count) = 0 then 'all_read'
            when any_value(base) = 1 then 'unread_only'
            when any_value(base) < $min_base then 'unread_small'
            else 'unread'
        end as message,
        null as category_id,
        sum(manifestation_count)::bigint as manifestation_count,
        any_value(base) as base,
        0 as tied_count,
        sum(read_share) as share,
        false as corrected,
        null::double as low,
        null::double as high
    from report_category
    cross join base
    where report_id = $report_id and channel = $channel and category_id in ('otros', 'unclassified')
)

select * from largest
union all
select * from most_negative
union all
select * from unread
order by position

-- name: unread
-- One row per reason why something was not read.
select u.reason, u.counted, u.item_count, r.manifestation_count as base, u.item_count / nullif(r.manifestation_count, 0) as share
from report_unread as u
join report as r using (report_id, channel)
where u.report_id = $report_id and u.channel = $channel
    and u.reason in ('unclassified', 'otros', 'undated', 'quechua', 'aymara', 'other_language', 'failed_source', 'partial_source')
order by u.position

-- name: troubled
-- One row per source that is not as it used to be or rests after failing, in the order of the city's file.
select
    publisher,
    reason,
    reason = 'quarantined' as resting,
    verdict,
    verdict_about,
    watched_count,
    expected_low,
    expected_high,
    silent_days,
    usual_gap_days
from report_source
where report_id = $report_id and (verdict in ('quiet', 'degraded', 'drift') or reason = 'quarantined')
order by channel <> $channel, channel, position

-- name: others
-- One row per other channel.
select channel, manifestation_count
from report
where report_id = $report_id and channel <> $channel
order by channel

-- name: withdrawn
-- One row, none where nothing was taken out since the report that this one amends.
select 1 as withdrawn
from report as r
join report as amended on amended.report_id = r.amends_report_id and amended.channel = r.channel
join report_unread as now on now.report_id = r.report_id and now.channel = r.channel and now.reason = 'withdrawn'
left join report_unread as earlier
    on earlier.report_id = amended.report_id and earlier.channel = r.channel and earlier.reason = 'withdrawn'
where r.report_id = $report_id and r.channel = $channel and now.item_count > coalesce(earlier.item_count, 0)

-- name: quality
-- One row per task that people labelled.
select task, labelled_count
from report_quality
where report_id = $report_id and channel = $channel
order by task
