-- What else is past its retention beside the items: details of health, and memories. Grain: one row.
select
    (
        select count(*)
        from source_health as h
        left join source_retention as r using (source_id)
        where h.city = $city and h.detail <> '' and h.observed_at + to_days(coalesce(r.retention_days, $shortest_days)) <= $now
    )
    + (
        select count(*)
        from source_memory as m
        join batch as b using (batch_number)
        left join source_retention as r on m.source_id = r.source_id
        where m.city = $city and b.observed_at + to_days(coalesce(r.retention_days, $shortest_days)) <= $now
    ) as n
