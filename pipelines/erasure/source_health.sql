-- The health of sources; past their retention without the detail, which names addresses. Grain: one row per source and batch.
select h.* replace (
    case
        when h.city = $city and h.observed_at + to_days(coalesce(r.retention_days, $shortest_days)) <= $now then ''
        else h.detail
    end as detail
)
from main.source_health as h
left join source_retention as r using (source_id)
