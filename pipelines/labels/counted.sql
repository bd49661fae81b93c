-- Counted manifestations of a channel, of the staged window. Grain: one row per manifestation.
select manifestation_id, version, source_id, category_id
from report_item
where counted and channel = $channel
order by manifestation_id
