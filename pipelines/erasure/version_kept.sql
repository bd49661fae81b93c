-- What stands for each version of a due item: its digest was made from the text. Grain: one row per manifestation and version.
select m.manifestation_id, m.version, 'erased:' || min(m.version_number) as kept_version
from manifestation as m
semi join due_item as d using (manifestation_id)
group by m.manifestation_id, m.version
