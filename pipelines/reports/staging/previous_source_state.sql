-- How each source fared in the window before, and what its past said of it. Grain: one row per source of the city.
select s.source_id, s.channel, s.status, s.reason, s.whole, watch.verdict
from source_state as s
left join source_verdict as watch using (source_id)
