-- Issues within each category, as read; shares are of the category. Grain: one row per report, channel, category and issue read at least once.
with total as (
    select channel, category_id, count(*) as n from report_item where counted group by all
)

select
    $report_id as report_id,
    i.channel,
    i.category_id,
    i.issue_id,
    count(*) as manifestation_count,
    count(*) / any_value(total.n) as manifestation_share,
    null::double as manifestation_low,
    null::double as manifestation_high,
    false as corrected
from report_item as i
join total on total.channel = i.channel and total.category_id = i.category_id
where i.counted and i.issue_id is not null
group by i.channel, i.category_id, i.issue_id
order by i.channel, i.category_id, manifestation_count desc, i.issue_id
