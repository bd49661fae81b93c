-- Quotes without a message with which they would go, and messages without a quote. Grain: one row per offending quote.
select coalesce(q.quote_id, o.quote_id) as quote_id
from (select distinct quote_id from report_quote where report_id = $report_id and text is not null) as q
full join (select distinct quote_id from quote_origin where report_id = $report_id) as o using (quote_id)
where q.quote_id is null or o.quote_id is null
