-- What was promised for the period before, with the figures of then and of now. Grain: one row per report and signed recommendation of that period.
-- Whether two shares differ: the interval of their difference from those of both (Newcombe 1998, method 10), never from shares that are uncorrected.
-- Reads report_category and report_issue, whose files come before this one.
with wanted as (
    select $report_id as report_id
    union
    select then_report_id from promise_period where then_report_id is not null
),

figure as (
    select
        c.report_id, c.channel, c.category_id, null as issue_id,
        c.manifestation_count as n, r.manifestation_count as base,
        c.manifestation_share as share, c.manifestation_low as low, c.manifestation_high as high, c.corrected
    from report_category as c
    join report as r using (report_id, channel)
    semi join wanted on wanted.report_id = c.report_id
    union all by name
    select
        i.report_id, i.channel, i.category_id, i.issue_id,
        i.manifestation_count as n, c.manifestation_count as base,
        i.manifestation_share as share, i.manifestation_low as low, i.manifestation_high as high, i.corrected
    from report_issue as i
    join report_category as c using (report_id, channel, category_id)
    semi join wanted on wanted.report_id = i.report_id
    union all by name
    -- An issue that nobody named has no row of its own.
    select distinct
        c.report_id, c.channel, c.category_id, e.issue_id,
        0 as n, c.manifestation_count as base,
        case when c.manifestation_count > 0 then 0 end as share, null as low, null as high, false as corrected
    from promise_entry as e
    join report_category as c using (channel, category_id)
    semi join wanted on wanted.report_id = c.report_id
    anti join report_issue as i on i.report_id = c.report_id and i.channel = c.channel and i.issue_id = e.issue_id
    where e.issue_id is not null
),

compared as (
    select
        e.*,
        p.then_start,
        p.then_end,
        before.n as then_count,
        before.base as then_base,
        before.share as then_share,
        before.low as then_low,
        before.high as then_high,
        today.n as now_count,
        today.base as now_base,
        today.share as now_share,
        today.low as now_low,
        today.high as now_high,
        coalesce(before.corrected and today.corrected, false) as corrected
    from promise_entry as e
    cross join promise_period as p
    left join figure as before
        on before.report_id = p.then_report_id and before.channel = e.channel and before.category_id = e.category_id
        and before.issue_id is not distinct from e.issue_id
    left join figure as today
        on today.report_id = $report_id and today.channel = e.channel and today.category_id = e.category_id
        and today.issue_id is not distinct from e.issue_id
)

select
    $report_id as report_id,
    compared.* exclude (evidence, cited_report_id),
    case
        when not corrected or then_low is null or now_low is null then 'unknown'
        when now_share - then_share > sqrt((now_share - now_low) ** 2 + (then_high - then_share) ** 2) then 'up'
        when then_share - now_share > sqrt((now_high - now_share) ** 2 + (then_share - then_low) ** 2) then 'down'
        else 'none'
    end as change
from compared
order by position
