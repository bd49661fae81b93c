-- The samples that people label of the window, of the city's channels. Grain: one row per sample.
select s.*
from label_sample as s
semi join city_channel using (channel)
where s.city = $city and s.period_start = $start and s.period_end = $end
