-- The reports that quote what is due or excluded, and whether each is the one that its window's files without an id belong to. Grain: one row per report.
with quoting as (
    select distinct report_id
    from quote_origin
    where manifestation_id in (select manifestation_id from due_item)
        or manifestation_id in (select manifestation_id from excluded_item)
),

window_report as (
    select distinct report_id, city, period_start, period_end, seen_until, report_number, issued, taxonomy_version
    from report
    where city = $city
),

newest as (
    select report_id
    from window_report
    where issued
    qualify row_number() over (partition by period_start, period_end order by seen_until desc, report_number desc) = 1
)

select
    w.report_id,
    w.period_start,
    w.period_end,
    w.taxonomy_version,
    w.issued,
    newest.report_id is not null as newest
from window_report as w
semi join quoting using (report_id)
left join newest using (report_id)
order by w.report_id
