-- Sources of a report that were not read whole or are not as they used to be, and why: the reason, or what the past says. Grain: one row per such source, in the order of the city's file.
select
    source_id,
    case
        when (status in ('failed', 'partial') or reason = 'quarantined') and coalesce(reason, 'none') <> 'none' then reason
        when status in ('failed', 'partial', 'not_collected') then status
        else verdict
    end as why
from report_source
where report_id = $report_id
    and (status in ('failed', 'partial') or (status = 'not_collected' and reason <> 'disabled') or reason = 'quarantined' or verdict in ('quiet', 'degraded', 'drift'))
order by position
