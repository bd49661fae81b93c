-- Sources whose counts contradict the table of sources, or that stand as compared though they failed or are not as they used to be. Grain: one row per offending source.
select s.source_id, s.standing, s.current_count, r.status, r.verdict
from report_source as r
left join report_source_comparison as s using (report_id, source_id)
where r.report_id = $report_id
    and (
        s.standing is null
        or s.current_count <> r.manifestation_count
        or (s.standing in ('compared', 'gained') and (r.status not in ('ok', 'empty') or coalesce(r.verdict, 'none') <> 'none'))
    )
