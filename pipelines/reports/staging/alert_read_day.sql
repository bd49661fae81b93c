-- The days before the window and in it on which a source was read whole. Grain: one row per source and day.
with day as (
    select unnest(generate_series($since_day::date, $last_day::date, interval 1 day))::date as day
),

covered as (
    select h.source_id, d.day, arg_max(h.status, h.batch_number) as status
    from source_health as h
    semi join city_source using (source_id)
    join day as d
        on h.period_start <= (d.day::timestamp at time zone $timezone)
        and h.period_end >= ((d.day + 1)::timestamp at time zone $timezone)
        and h.observed_at >= ((d.day + 1)::timestamp at time zone $timezone)
    anti join (from batch where reread) as r on h.batch_number = r.batch_number
    where h.city = $city and h.observed_at <= $seen_until and h.reason <> 'quarantined'
    group by all
)

select source_id, day from covered where status in ('ok', 'empty') order by all
