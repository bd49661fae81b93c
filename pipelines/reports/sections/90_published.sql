-- Figures that somebody published about this very window, beside ours. Grain: named beside each query.

-- name: applies
-- A row if the city has published figures and their days are the report's.
select 1
from report
where report_id = $report_id and channel = $channel
    and (period_start at time zone $timezone)::timestamp = $published_first::date::timestamp
    and (period_end at time zone $timezone)::timestamp = ($published_last::date + interval 1 day)

-- name: figures
-- One row per published figure, in the order published.
with published as (
    select unnest($figures) as figure, generate_subscripts($figures, 1) as place
)

select
    published.place,
    published.figure.label as label,
    published.figure.count as published_count,
    published.figure.total as total,
    coalesce(published.figure.category, published.figure.rollup) as compared_with,
    coalesce(c.manifestation_count, u.manifestation_count, r.manifestation_count) as manifestation_count,
    c.category_id is null and u.rollup_id is null as corrected  -- a count of readings; what is compared with the whole is none
from published
join report as r on r.report_id = $report_id and r.channel = $channel
left join report_category as c
    on c.report_id = r.report_id and c.channel = r.channel and c.category_id = published.figure.category
left join report_rollup as u
    on u.report_id = r.report_id and u.channel = r.channel and u.rollup_id = published.figure.rollup
order by published.place
