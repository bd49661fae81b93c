-- Sources whose counts contradict the table of sources, that stand as compared though they failed or are not as they used to be, or that
-- have a standing where nothing was compared, or none where it was. Grain: one row per offending source.
select s.source_id, s.standing, s.current_count, r.status, r.verdict
from report_source as r
left join report_source_comparison as s using (report_id, source_id)
left join report_comparison as c on c.report_id = r.report_id and c.channel = r.channel
where r.report_id = $report_id
    and (
        s.source_id is null
        or (s.standing is null) <> (c.standing in ('not_collected', 'not_read'))
        or (s.previous_count is null) <> (s.standing is null)
        or s.current_count <> r.manifestation_count
        or (s.standing in ('compared', 'gained') and (r.status not in ('ok', 'empty') or coalesce(r.verdict, 'none') <> 'none'))
    )
