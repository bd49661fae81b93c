-- The largest categories and issues of a report's channel, as findings that a recommendation may rest on. Grain: one row per finding.
with category as (
    select
        1 as level, 'category:' || c.category_id as finding, c.channel, c.category_id, null as issue_id,
        c.manifestation_count, r.manifestation_count as base, c.manifestation_share as share,
        c.manifestation_low as low, c.manifestation_high as high, c.corrected,
        row_number() over (order by c.manifestation_count desc, c.position) as place
    from report_category as c
    join report as r using (report_id, channel)
    where c.report_id = $report_id and c.channel = $channel
        and c.category_id not in ('otros', 'unclassified') and c.manifestation_count >= 5
),

issue as (
    select
        2 as level, 'issue:' || i.issue_id as finding, i.channel, i.category_id, i.issue_id,
        i.manifestation_count, c.manifestation_count as base, i.manifestation_share as share,
        i.manifestation_low as low, i.manifestation_high as high, i.corrected,
        row_number() over (order by i.manifestation_count desc, i.issue_id) as place
    from report_issue as i
    join report_category as c using (report_id, channel, category_id)
    where i.report_id = $report_id and i.channel = $channel and i.category_id <> 'otros' and i.manifestation_count >= 5
)

select * from category where place <= $categories
union all
select * from issue where place <= $issues
order by level, place
