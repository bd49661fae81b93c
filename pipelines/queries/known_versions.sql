-- Versions that the warehouse has of the incoming items, oldest first. Grain: one row per manifestation version.
select manifestation_id, version, erased_at is not null as erased, version_at
from manifestation
semi join incoming using (manifestation_id)
order by manifestation_id, version_number
