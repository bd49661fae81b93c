-- Sources of a report that were not read whole or are not as they used to be. Grain: one row per such source, in the order of the city's file.
select source_id
from report_source
where report_id = $report_id
    and (status in ('failed', 'partial') or (status = 'not_collected' and reason <> 'disabled') or reason = 'quarantined' or verdict in ('quiet', 'degraded', 'drift'))
order by position
