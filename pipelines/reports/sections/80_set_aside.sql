-- What was collected and not counted, and why, down to what was counted. Grain: named beside each query.

-- name: channels
-- One row per channel, the main one first.
select channel, collected_count, manifestation_count, gone_count
from report
where report_id = $report_id
order by channel <> $channel, channel

-- name: reasons
-- One row per reason and channel.
select reason, position, channel, item_count
from report_unread
where report_id = $report_id and not counted and reason not in ('failed_source', 'partial_source', 'withdrawn')
qualify reason <> 'erased_unread' or sum(item_count) over (partition by reason) > 0
order by position, channel <> $channel, channel
