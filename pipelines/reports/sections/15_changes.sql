-- What changed against the window before, and what the difference is made of. Grain: named beside each query.

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

-- name: shares
-- One row per category, by size now, and per sentiment.
select c.*, c.measure = 'sentiment' as tone, c.key in ('otros', 'unclassified') as apart
from report_change as c
where c.report_id = $report_id and c.channel = $channel and c.measure in ('category', 'sentiment')
    and c.previous_count + c.current_count > 0
order by tone, apart, c.current_count desc, c.key

-- name: tones
-- One row per category whose negative share was compared.
select c.*, false as apart
from report_change as c
where c.report_id = $report_id and c.channel = $channel and c.measure = 'category_neg' and c.p_value is not null
    and c.key not in ('otros', 'unclassified')
order by c.current_base desc, c.key

-- name: volume
-- One row, none without a comparison.
select c.* from report_change as c
where c.report_id = $report_id and c.channel = $channel and c.measure = 'volume'
