-- The collections of each source before a window and for it, as seen at an instant, oldest first. Grain: one row per source and collection.
select source_id, period_start, period_end, observed_at, status, item_count, skipped_count
from source_health
where city = $city and observed_at <= $seen_until and list_contains($sources, source_id)
    and status in ('ok', 'empty', 'partial') and period_start < $end and period_end > $since
order by source_id, batch_number
