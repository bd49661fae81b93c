-- What sources are remembered by; past their retention nothing, which costs them one more reading. Grain: one row per source, key and batch.
select m.*
from main.source_memory as m
join main.batch as b using (batch_number)
left join source_retention as r on m.source_id = r.source_id
where m.city <> $city or b.observed_at + to_days(coalesce(r.retention_days, $shortest_days)) > $now
