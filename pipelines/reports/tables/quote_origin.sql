-- The messages with which a quote goes: the one that it is taken from, and its copies. Grain: one row per report, quote and message.
select
    $report_id as report_id,
    md5(concat_ws('|', $report_id, q.quote_key)) as quote_id,
    copies.manifestation_id
from quote_entry as q
join counted_item as i using (item)
join counted_item as copies on copies.channel = i.channel and copies.copy_group = i.copy_group
order by quote_id, copies.manifestation_id
