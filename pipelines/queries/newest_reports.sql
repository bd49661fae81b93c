-- The newest report of each city and window: the latest seen_until; of equals the one made last. A report on some of the sources is none
-- of the city's. Grain: one row per city and window.
select
    report_id,
    city,
    period_start,
    period_end
from (select distinct report_id, report_number, city, period_start, period_end, seen_until from report where only_sources is null)
qualify row_number() over (
    partition by city, period_start, period_end
    order by seen_until desc, report_number desc, report_id desc
) = 1
order by city, period_start, period_end
