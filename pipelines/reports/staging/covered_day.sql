-- The outcome of each day of the window in each source that was asked for it, as far as was seen. Grain: one row per source and day.
-- Each day takes the outcome of the last collection that covered it, so that one good day does not hide twenty-nine lost ones, and a
-- later collection of the whole window makes up for all of them. That a source was not asked, because it failed too often, takes
-- nothing from what was known of the day. A collection covers no day that had not begun when it was made.
select
    h.source_id,
    d.day,
    arg_max(h.status, (h.reason <> 'quarantined', h.batch_number)) as status,
    arg_max(h.reason, (h.reason <> 'quarantined', h.batch_number)) as reason,
    max(h.batch_number) as batch_number
from source_health as h
join window_day as d
    on h.period_start < ((d.day + 1)::timestamp at time zone $timezone)
    and h.period_end > (d.day::timestamp at time zone $timezone)
    and h.observed_at > (d.day::timestamp at time zone $timezone)
anti join (from batch where reread) as r on h.batch_number = r.batch_number
where h.city = $city and h.observed_at <= $seen_until
group by h.source_id, d.day
