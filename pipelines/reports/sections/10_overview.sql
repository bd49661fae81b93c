-- The first screen: totals, three findings by the rules of report_headline, and what could not be read. Grain: named beside each query.

-- name: findings
-- One row per finding of the first screen, in order.
select
    h.* replace (if(h.message in ('no_sure_change', 'no_category', 'nothing_counted'), null, h.key) as key),
    moving.publisher as moving_source
from report_headline as h
left join report_source as moving on moving.report_id = h.report_id and moving.source_id = h.moving_source_id
where h.report_id = $report_id and h.channel = $channel and h.position <= 3
order by h.position

-- name: comparison
-- One row: with what the window is compared, or why with nothing.
select
    c.*,
    coalesce(bool_and(d.corrected), false) as all_corrected,
    coalesce(bool_or(d.corrected), false) as any_corrected
from report_comparison as c
left join report_change as d on d.report_id = c.report_id and d.channel = c.channel and d.measure <> 'volume' and d.p_value is not null
where c.report_id = $report_id and c.channel = $channel
group by all

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

-- name: days
-- One row: how many days the window has, and how many of them any source was asked for.
select count(*) as day_count, count(*) filter (coalesce(covered, true)) as covered_count
from report_day
where report_id = $report_id and channel = $channel

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
