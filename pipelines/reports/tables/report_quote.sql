-- What at least five persons said alike, shortened; nobody's name, no link, no day. Grain: one row per report, channel and issue that has a quote.
select
    $report_id as report_id,
    q.channel,
    md5(concat_ws('|', $report_id, q.quote_key)) as quote_id,
    q.category_id,
    q.issue_id,
    q.text,
    q.words,
    q.person_count,
    s.publisher_kind,
    date_trunc('month', i.published_at at time zone $timezone)::date as month
from quote_entry as q
join counted_item as i using (item)
join city_source as s using (source_id)
order by q.channel, q.category_id, q.issue_id
