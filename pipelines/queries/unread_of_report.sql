-- What a report could not read, by channel. Grain: one row per reason and channel, the main channel first.
select reason, channel, item_count
from report_unread
where report_id = $report_id
    and reason in ('unclassified', 'otros', 'undated', 'quechua', 'aymara', 'other_language', 'failed_source', 'partial_source')
order by channel <> 'online', channel, position
