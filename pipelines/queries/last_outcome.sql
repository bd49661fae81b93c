-- How a source fared when its window was last read whole. Grain: at most one row.
select status, reason, item_count, undated_count, skipped_count
from source_health
where city = $city and source_id = $source and period_start = $start and period_end = $end
    and status in ('ok', 'empty') and reason <> 'unchanged'
    and batch_number not in (select batch_number from batch where reread)
order by batch_number desc
limit 1
