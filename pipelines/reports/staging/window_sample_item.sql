-- What the window's samples hold of what counts; a message that two samples drew stands there for both.
-- Grain: one row per sample and manifestation.
select s.channel, i.sample_id, i.manifestation_id, i.stratum, i.stratum_count, i.stratum_drawn
from label_sample_item as i
join window_sample as s using (sample_id)
semi join (from report_item where counted) as r on i.manifestation_id = r.manifestation_id and s.channel = r.channel
