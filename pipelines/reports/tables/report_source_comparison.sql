-- Which sources the comparison with the window before rests on. Grain: one row per report and source of the city.
-- Rules: where the windows were not compared, what was before is null and no zero.
select
    $report_id as report_id,
    s.channel,
    s.source_id,
    if(i.standing = 'compared', s.standing, null) as standing,
    if(i.standing = 'compared', coalesce(before.n, 0), null) as previous_count,
    coalesce(now.n, 0) as current_count
from source_comparison as s
cross join comparison_input as i
left join (select source_id, count(*) as n from previous_item where counted group by all) as before using (source_id)
left join (select source_id, count(*) as n from report_item where counted group by all) as now using (source_id)
order by s.position
