-- Categories of the main channel by size, those that say nothing municipal last. Grain: one row per category.
select
    c.*,
    r.manifestation_count as base,
    max(c.manifestation_count) over () as most,
    c.category_id in ('otros', 'unclassified') as apart
from report_category as c
join report as r using (report_id, channel)
where c.report_id = $report_id and c.channel = $channel
order by apart, c.manifestation_count desc, c.position
