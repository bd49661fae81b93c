-- The first screen: totals, three findings made by rule, and what could not be read. Grain: named beside each query.

-- name: findings
-- One row per finding, in order; the message's words are in the wording. Where what is not told could make it untrue, it is not said.
with base as (
    select manifestation_count as base from report where report_id = $report_id and channel = $channel
),

untold as (
    -- How many manifestations the hidden categories have together; null if none is hidden.
    select case when count(*) > count(c.manifestation_count) then any_value(base.base) - coalesce(sum(c.manifestation_count), 0) end as n
    from report_category as c
    cross join base
    where c.report_id = $report_id and c.channel = $channel
),

read as (
    select *
    from report_category
    where report_id = $report_id and channel = $channel and category_id not in ('otros', 'unclassified') and manifestation_count > 0
),

largest as (
    select
        1 as position,
        case
            when (select base from base) = 0 then 'nothing_counted'
            when count(*) = 0 and (select n from untold) > 0 then 'few_persons'
            when max(manifestation_count) <= (select n from untold) then 'largest_told'
            when count(*) = 0 then 'no_category'
            when count(*) filter (manifestation_count = (select max(manifestation_count) from read)) > 1 then 'largest_tied'
            when any_value(base) < $min_base then 'largest_category_small'
            else 'largest_category'
        end as message,
        arg_max(category_id, (manifestation_count, -position)) as category_id,
        max(manifestation_count) as manifestation_count,
        any_value(base) as base,
        count(*) filter (manifestation_count = (select max(manifestation_count) from read)) as tied_count,
        arg_max(manifestation_share, (manifestation_count, -position)) as share,
        coalesce(arg_max(corrected, (manifestation_count, -position)), false) as corrected,
        arg_max(manifestation_low, (manifestation_count, -position)) as low,
        arg_max(manifestation_high, (manifestation_count, -position)) as high
    from read
    cross join base
),

toned as (
    select
        s.category_id,
        read.position,
        read.manifestation_count as base,
        max(s.manifestation_count) filter (s.sentiment = 'neg') as manifestation_count,
        max(s.manifestation_share) filter (s.sentiment = 'neg') as manifestation_share,
        max(s.manifestation_low) filter (s.sentiment = 'neg') as manifestation_low,
        max(s.manifestation_high) filter (s.sentiment = 'neg') as manifestation_high,
        bool_or(s.corrected) as corrected,
        -- The most that a hidden figure can be.
        case
            when max(s.manifestation_count) filter (s.sentiment = 'neg') is null
                then 1 - coalesce(sum(s.manifestation_count), 0) / read.manifestation_count
        end as at_most
    from report_category_sentiment as s
    join read using (category_id)
    where s.report_id = $report_id and s.channel = $channel and read.manifestation_count >= $min_base
    group by s.category_id, read.position, read.manifestation_count
),

tone_told as (
    from toned where manifestation_count is not null
),

most_negative as (
    select
        2 as position,
        case
            when (select count(*) from toned) = 0 then 'none_large'
            when (select max(at_most) from toned) >= coalesce(max(manifestation_share), 0)
                then if(coalesce(max(manifestation_count), 0) = 0, 'tone_untold', 'most_negative_told')
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
    from tone_told
),

unread as (
    select
        3 as position,
        case
            when any_value(base) = 0 then 'silence'
            when count(*) > count(manifestation_count) then 'unread_untold'
            when sum(manifestation_count) = 0 then 'all_read'
            when any_value(base) = 1 then 'unread_only'
            when any_value(base) < $min_base then 'unread_small'
            else 'unread'
        end as message,
        null as category_id,
        sum(manifestation_count)::bigint as manifestation_count,
        any_value(base) as base,
        0 as tied_count,
        sum(manifestation_share) as share,
        bool_and(corrected) as corrected,
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
