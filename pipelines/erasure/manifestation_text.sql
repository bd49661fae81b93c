-- The texts that are kept. Grain: one row per manifestation version.
select t.*
from main.manifestation_text as t
anti join due_item as d using (manifestation_id)
anti join excluded_item as e using (manifestation_id)
