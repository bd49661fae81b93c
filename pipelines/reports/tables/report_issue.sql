-- Issues within each category, as read and, where people labelled a sample, corrected; shares are of the category.
-- Grain: one row per report, channel, category and issue read at least once.
with total as (
    select channel, category_id, count(*) as n from report_item where counted group by all
),

read as (
    select i.channel, i.category_id, i.issue_id, count(*) as n, count(*) / any_value(total.n) as share
    from report_item as i
    join total on total.channel = i.channel and total.category_id = i.category_id
    where i.counted and i.issue_id is not null
    group by i.channel, i.category_id, i.issue_id
)

select
    $report_id as report_id,
    read.channel,
    read.category_id,
    read.issue_id,
    read.n as manifestation_count,
    case when coalesce(e.status, 'uncorrected') = 'uncorrected' then read.share else e.share end as manifestation_share,
    e.low as manifestation_low,
    e.high as manifestation_high,
    coalesce(e.status = 'corrected', false) as corrected,
    read.share as read_share,
    coalesce(e.status, 'uncorrected') as estimate_status,
    e.labelled_count,
    e.positive_count as labelled_positive_count
from read
left join estimate as e on e.subject = 'issue' and e.channel = read.channel and e.issue_id = read.issue_id
order by read.channel, read.category_id, manifestation_count desc, read.issue_id
