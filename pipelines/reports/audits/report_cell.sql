-- Figures of few persons that are told, hidden ones that open data tells, and cells that contradict the report. Grain: one row per offending cell.
select cell.channel, cell.cell_table, cell.cell_key, cell.manifestation_count, cell.person_count
from report_cell as cell
left join report as r using (report_id, channel)
left join report_category as c
    on c.report_id = cell.report_id and c.channel = cell.channel and cell.cell_table = 'category' and c.category_id = cell.cell_key
left join report_category_sentiment as s
    on s.report_id = cell.report_id and s.channel = cell.channel
    and cell.cell_table = 'category_sentiment' and s.category_id || '/' || s.sentiment = cell.cell_key
where cell.report_id = $report_id
    and (
        r.channel is null
        or cell.person_count > cell.manifestation_count
        or (cell.person_count = 0) <> (cell.manifestation_count = 0)
        or (cell.suppressed_internal and not cell.suppressed_open)
        or (cell.cell_table in ('total', 'day') and cell.suppressed_open)
        or (
            cell.cell_table not in ('total', 'day', 'unread')
            and ((cell.person_count between 1 and 4 and not cell.suppressed_internal) or (cell.person_count between 1 and 10 and not cell.suppressed_open))
        )
        or (cell.cell_table = 'total' and cell.manifestation_count <> r.manifestation_count)
        or (cell.cell_table = 'category' and cell.manifestation_count is distinct from c.manifestation_count)
        or (cell.cell_table = 'category_sentiment' and cell.manifestation_count is distinct from s.manifestation_count)
    )
